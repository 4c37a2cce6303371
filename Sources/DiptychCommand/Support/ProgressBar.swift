import CDiptychPlatform
import Diptych

/// A line at the bottom of a terminal, drawn at most ten times a second.
final class ProgressBar {
    private var drawn = -1.0
    private let start = dp_seconds()
    private var firstStep: Int?

    func draw(_ progress: Progress) {
        let now = dp_seconds()
        let first = firstStep ?? progress.step - 1
        firstStep = first
        guard now - drawn > 0.1 else { return }
        drawn = now
        let share = Double(progress.step) / Double(max(progress.steps, 1))
        let filled = Int(24 * share)
        let left = (now - start) / Double(progress.step - first) * Double(progress.steps - progress.step)
        writeAll("\r[\(String(repeating: "#", count: filled))\(String(repeating: ".", count: 24 - filled))] \(right(fixed(100 * share, 0), 3)) %"
            + "  epoch \(progress.epoch)/\(progress.epochs)  loss \(fixed(progress.loss, 3))  \(fixed(left, 0)) s left\u{1B}[K", to: 2)
    }

    func clear() {
        if drawn >= 0 { writeAll("\r\u{1B}[K", to: 2) }
        drawn = -1
    }
}
