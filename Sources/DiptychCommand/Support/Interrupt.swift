import CDiptychPlatform
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ctrl-C (SIGINT) or SIGTERM as a request that a training reads between two steps. The second one ends the process.
struct Interrupt {
    let number: Int32

    var name: String { number == SIGTERM ? "SIGTERM" : "Ctrl-C" }
    /// What shells report of a process that the signal ends.
    var exitStatus: Int32 { 128 + number }

    private typealias Handler = @convention(c) (Int32) -> Void
    nonisolated(unsafe) private static var caught: Int32 = 0

    /// From now on the signals are caught, unless the process was started with them ignored.
    static func install() {
        dp_flag_set(&caught, 0)
        for number in [SIGINT, SIGTERM] {
            let previous = Self.set(number) { number in
                dp_flag_set(&Interrupt.caught, number)
                Interrupt.set(number, SIG_DFL)
            }
            if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { set(number, SIG_IGN) }
        }
    }

    static func remove() {
        for number in [SIGINT, SIGTERM] {
            if unsafeBitCast(set(number, SIG_DFL), to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { set(number, SIG_IGN) }
        }
    }

    /// What has come since the last call.
    static func take() -> Interrupt? {
        let number = dp_flag_take(&caught)
        return number == 0 ? nil : Interrupt(number: number)
    }

    @discardableResult
    private static func set(_ number: Int32, _ handler: Handler?) -> Handler? { signal(number, handler) }
}
