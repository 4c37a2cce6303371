import CDiptych
import CDiptychPlatform
import Diptych

@implementation @_cdecl("diptych_evaluate")
public func diptych_evaluate(_ model: OpaquePointer!, _ pairs: OpaquePointer!, _ threads: Int32,
                             _ out_evaluation: UnsafeMutablePointer<diptych_evaluation>!,
                             _ out_confusion: UnsafeMutablePointer<UInt64>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model"), pairs = try object(pairs, Pairs.self, "pairs")
        let out = try given(out_evaluation, "out_evaluation")
        try checkResult(out_evaluation, "out_evaluation")
        let e = try model.evaluate(pairs, threads: Int(threads), confusion: out_confusion)
        fill(out, with: diptych_evaluation(struct_size: 0, reserved: 0, count: Int64(e.count), error: e.error,
                                           marginal_error: e.marginalError, digit_error: e.digitError, bce: e.bce,
                                           auxiliary: e.auxiliary, ece: e.head.expectedCalibrationError,
                                           marginal_ece: e.marginal.expectedCalibrationError))
    }
}

@implementation @_cdecl("diptych_model_calibrate")
public func diptych_model_calibrate(_ model: OpaquePointer!, _ pairs: OpaquePointer!, _ threads: Int32) -> diptych_status {
    attempt { () throws(DiptychError) in
        try object(model, Model.self, "model").calibrate(object(pairs, Pairs.self, "pairs"), threads: Int(threads))
    }
}

@implementation @_cdecl("diptych_reliability")
public func diptych_reliability(_ model: OpaquePointer!, _ pairs: OpaquePointer!, _ threads: Int32,
                                _ out_head: UnsafeMutablePointer<diptych_reliability_bin>!,
                                _ out_marginal: UnsafeMutablePointer<diptych_reliability_bin>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model"), pairs = try object(pairs, Pairs.self, "pairs")
        let evaluation = try model.evaluate(pairs, threads: Int(threads))
        write(evaluation.head, to: out_head)
        write(evaluation.marginal, to: out_marginal)
    }
}

private func write(_ reliability: Reliability, to bins: UnsafeMutablePointer<diptych_reliability_bin>?) {
    guard let bins else { return }
    for (index, bin) in reliability.bins.enumerated() {
        bins[index] = diptych_reliability_bin(count: Int64(bin.count), mean_probability: bin.meanProbability, frequency: bin.frequency)
    }
}
