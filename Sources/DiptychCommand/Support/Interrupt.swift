import CDiptychPlatform
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ctrl-C (SIGINT) and SIGTERM as a request that a training reads between two steps. The second one ends the process.
enum Interrupt {
    nonisolated(unsafe) private static var caught: Int32 = 0

    /// From now on the signals are caught, unless the process was started with them ignored.
    static func install() {
        dp_flag_set(&caught, 0)
        for number in [SIGINT, SIGTERM] {
            let previous = signal(number) { number in
                dp_flag_set(&Interrupt.caught, number)
                signal(number, SIG_DFL)
            }
            if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(number, SIG_IGN) }
        }
    }

    static func remove() {
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }

    /// The signal that has come since the last call.
    static func take() -> Int32? {
        let number = dp_flag_take(&caught)
        return number == 0 ? nil : number
    }
}
