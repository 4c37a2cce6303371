import CDiptych
import CDiptychPlatform
import Diptych

/// diptych_prediction and Prediction are the same 32 bytes; a test compares the members.
private func predictions(_ out: UnsafeMutablePointer<diptych_prediction>?, _ name: StaticString) throws(DiptychError) -> UnsafeMutablePointer<Prediction> {
    UnsafeMutableRawPointer(try given(out, name)).assumingMemoryBound(to: Prediction.self)
}

private func check(_ count: Int, _ model: Model) throws(DiptychError) {
    let d = model.description
    try checkCount(count, of: max(8 * d.height * d.width, 8 * d.classes), "pair_count")
}

/// What both kinds of pixels have in common: checked arguments to `body`.
@inline(__always)
private func predict<Pixel>(_ model: OpaquePointer?, _ pairs: UnsafePointer<Pixel>?, _ pair_count: Int,
                            _ out_predictions: UnsafeMutablePointer<diptych_prediction>?,
                            _ body: (Model, UnsafePointer<Pixel>, UnsafeMutablePointer<Prediction>) throws(DiptychError) -> Void) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model")
        let pairs = try given(pairs, "pairs"), out = try predictions(out_predictions, "out_predictions")
        try check(pair_count, model)
        try body(model, pairs, out)
    }
}

@implementation @_cdecl("diptych_predict")
public func diptych_predict(_ model: OpaquePointer!, _ pairs: UnsafePointer<Float>!, _ pair_count: Int, _ threads: Int32,
                            _ out_predictions: UnsafeMutablePointer<diptych_prediction>!,
                            _ out_class_probabilities: UnsafeMutablePointer<Float>!) -> diptych_status {
    predict(model, pairs, pair_count, out_predictions) { (model, pairs, out) throws(DiptychError) in
        try model.predict(pairs, count: pair_count, threads: Int(threads), into: out, classProbabilities: out_class_probabilities)
    }
}

@implementation @_cdecl("diptych_predict_u8")
public func diptych_predict_u8(_ model: OpaquePointer!, _ pairs: UnsafePointer<UInt8>!, _ pair_count: Int, _ threads: Int32,
                               _ out_predictions: UnsafeMutablePointer<diptych_prediction>!,
                               _ out_class_probabilities: UnsafeMutablePointer<Float>!) -> diptych_status {
    predict(model, pairs, pair_count, out_predictions) { (model, pairs, out) throws(DiptychError) in
        try model.predict(pairs, count: pair_count, threads: Int(threads), into: out, classProbabilities: out_class_probabilities)
    }
}

@implementation @_cdecl("diptych_classify_png_files")
public func diptych_classify_png_files(_ model: OpaquePointer!, _ first_path: UnsafePointer<CChar>!, _ second_path: UnsafePointer<CChar>!,
                                       _ options: UnsafePointer<diptych_image_options>!,
                                       _ out_prediction: UnsafeMutablePointer<diptych_prediction>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model"), out = try predictions(out_prediction, "out_prediction")
        out.pointee = try model.classify(first: string(first_path, "first_path"), second: string(second_path, "second_path"),
                                         options: imageOptions(options))
    }
}

@implementation @_cdecl("diptych_classify_png_memory")
public func diptych_classify_png_memory(_ model: OpaquePointer!, _ first_data: UnsafeRawPointer!, _ first_size: Int,
                                        _ second_data: UnsafeRawPointer!, _ second_size: Int,
                                        _ options: UnsafePointer<diptych_image_options>!,
                                        _ out_prediction: UnsafeMutablePointer<diptych_prediction>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model"), out = try predictions(out_prediction, "out_prediction")
        out.pointee = try model.classify(first: bytes(first_data, first_size, "first_data"),
                                         second: bytes(second_data, second_size, "second_data"), options: imageOptions(options))
    }
}
