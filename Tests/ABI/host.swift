// A program with the ordinary Swift runtime that has the library inside: both runtimes in one process.
import CDiptych

func check(_ status: diptych_status) {
    precondition(status == 0, String(cString: diptych_last_error()))
}

var dataset: OpaquePointer?, pairs: OpaquePointer?, model: OpaquePointer?
check(diptych_dataset_sample(Int32(DIPTYCH_SAMPLE_TRAIN), &dataset))
check(diptych_pairs_draw(dataset, 40, 14, 14, 1, &pairs))
check(diptych_model_create(nil, &model))

var options = diptych_trainer_options()
check(diptych_trainer_options_init(&options, MemoryLayout<diptych_trainer_options>.size))
options.epochs = 2
options.batch_size = 20
var reports: [String] = []
withUnsafeMutablePointer(to: &reports) { reports in
    check(diptych_train(model, pairs, &options, { progress, reports in
        reports!.assumingMemoryBound(to: [String].self).pointee.append("epoch \(progress!.pointee.epoch): \(progress!.pointee.loss)")
        return 0
    }, reports))
}
precondition(reports.count == 2 && reports[1].hasPrefix("epoch 2: "))

let images = [Float](repeating: 1, count: 2 * 14 * 14)
var answer = diptych_prediction()
check(diptych_predict(model, images, 1, 1, &answer, nil))
precondition(answer.probability >= 0 && answer.probability <= 1)

var none: OpaquePointer?
precondition(diptych_model_load_file("/none", &none) == DIPTYCH_ERROR_NOT_FOUND && none == nil)
diptych_model_free(model)
diptych_pairs_free(pairs)
diptych_dataset_free(dataset)
print(Dictionary(grouping: reports, by: \.count).values.flatMap { $0 }.sorted().joined(separator: "\n"))
