import Foundation
import Testing

@testable import Diptych

/// Learning rates in closed form; TorchComparisonTests compares a few with PyTorch's own.
@Suite struct ScheduleTests {
    private func rates(_ schedule: TrainerOptions.Schedule, _ steps: Int, peak: Float = 0.5) -> [Double] {
        var options = TrainerOptions()
        (options.schedule, options.learningRate) = (schedule, peak)
        return (0 ..< steps).map { options.learningRate(step: $0, of: steps) }
    }

    @Test(arguments: [1, 2, 3, 4, 10, 1000]) func constant(_ steps: Int) {
        #expect(rates(.constant, steps).allSatisfy { $0 == 0.5 })
    }

    /// (1 + cos(pi t / n)) / 2 of the rate, from all of it to nearly nothing.
    @Test(arguments: [1, 2, 3, 4, 10, 1000]) func cosine(_ steps: Int) {
        for (step, rate) in rates(.cosine, steps).enumerated() {
            #expect(abs(rate - 0.25 * (1 + cos(Double.pi * Double(step) / Double(steps)))) < 1e-15)
        }
        #expect(rates(.cosine, steps)[0] == 0.5)
    }

    /// PyTorch's OneCycleLR: from 1/25 of the rate up to it at 0.3 n - 1, then down to 1/250,000, each half a cosine.
    @Test(arguments: [4, 10, 37, 1000]) func oneCycle(_ steps: Int) {
        let rates = rates(.oneCycle, steps), peak = 0.3 * Double(steps) - 1, last = Double(steps - 1)
        for (step, rate) in rates.enumerated() {
            let t = Double(step), up = t <= peak
            let share = up ? t / peak : (t - peak) / (last - peak), from = up ? 0.02 : 0.5, to = up ? 0.5 : 2e-6
            #expect(abs(rate - ((from + to) / 2 + (from - to) / 2 * cos(Double.pi * share))) < 1e-15, "\(step)")
        }
        #expect(abs(rates[0] - 0.02) < 1e-15 && abs(rates[steps - 1] - 2e-6) < 1e-15)
        let top = rates.firstIndex(of: rates.max()!)!
        #expect(abs(Double(top) - peak) <= 1)
        #expect(zip(rates, rates.dropFirst()).enumerated().allSatisfy { $0.offset < top ? $0.element.0 < $0.element.1 : $0.element.0 > $0.element.1 })
    }

    /// Runs that are too short for a rise: finite and within the rate all the same.
    @Test(arguments: [1, 2, 3]) func oneCycleOfFewSteps(_ steps: Int) {
        #expect(rates(.oneCycle, steps).allSatisfy { $0 > 0 && $0 <= 0.5 })
    }
}
