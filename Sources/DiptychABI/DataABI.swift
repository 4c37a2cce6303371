import CDiptych
import CDiptychPlatform
import Diptych

@implementation @_cdecl("diptych_dataset_open_idx")
public func diptych_dataset_open_idx(_ images_path: UnsafePointer<CChar>!, _ labels_path: UnsafePointer<CChar>!,
                                     _ out_dataset: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_dataset, "out_dataset") { () throws(DiptychError) in
        try Dataset.openIDX(images: string(images_path, "images_path"), labels: string(labels_path, "labels_path"))
    }
}

@implementation @_cdecl("diptych_dataset_open_folder")
public func diptych_dataset_open_folder(_ path: UnsafePointer<CChar>!, _ options: UnsafePointer<diptych_image_options>!,
                                        _ out_dataset: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_dataset, "out_dataset") { () throws(DiptychError) in
        try Dataset.openFolder(path: string(path, "path"), options: imageOptions(options))
    }
}

@implementation @_cdecl("diptych_dataset_from_memory")
public func diptych_dataset_from_memory(_ images: UnsafePointer<UInt8>!, _ labels: UnsafePointer<Int32>!, _ count: Int,
                                        _ height: Int32, _ width: Int32,
                                        _ out_dataset: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_dataset, "out_dataset") { () throws(DiptychError) in
        try checkCount(count, of: 1, "count")
        return try Dataset.fromMemory(images: given(images, "images"), labels: labels, count: count, height: Int(height), width: Int(width))
    }
}

@implementation @_cdecl("diptych_dataset_sample")
public func diptych_dataset_sample(_ split: Int32, _ out_dataset: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_dataset, "out_dataset") { () throws(DiptychError) in
        try Dataset.sample(choice(split, "split", atMost: 1, Dataset.Split.self))
    }
}

@implementation @_cdecl("diptych_dataset_count")
public func diptych_dataset_count(_ dataset: OpaquePointer!) -> Int {
    (try? object(dataset, Dataset.self, "dataset"))?.count ?? 0
}

@implementation @_cdecl("diptych_dataset_get")
public func diptych_dataset_get(_ dataset: OpaquePointer!, _ out_height: UnsafeMutablePointer<Int32>!,
                                _ out_width: UnsafeMutablePointer<Int32>!, _ out_images: UnsafeMutablePointer<UInt8>!,
                                _ out_labels: UnsafeMutablePointer<Int32>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let dataset = try object(dataset, Dataset.self, "dataset")
        out_height?.pointee = Int32(dataset.height)
        out_width?.pointee = Int32(dataset.width)
        out_images?.copy(from: dataset.images.pointer, count: dataset.images.count)
        guard let out_labels else { return }
        if let labels = dataset.labels {
            out_labels.copy(from: labels.pointer, count: labels.count)
        } else {
            out_labels.update(repeating: -1, count: dataset.count)
        }
    }
}

@implementation @_cdecl("diptych_dataset_free")
public func diptych_dataset_free(_ dataset: OpaquePointer!) { release(dataset, Dataset.self) }

@implementation @_cdecl("diptych_pairs_draw")
public func diptych_pairs_draw(_ dataset: OpaquePointer!, _ count: Int, _ height: Int32, _ width: Int32, _ seed: UInt64,
                               _ out_pairs: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_pairs, "out_pairs") { () throws(DiptychError) in
        let dataset = try object(dataset, Dataset.self, "dataset")
        try checkCount(count, of: 2, "count")
        return try Pairs.draw(from: dataset, count: count, height: Int(height), width: Int(width), seed: seed)
    }
}

@implementation @_cdecl("diptych_pairs_from_memory")
public func diptych_pairs_from_memory(_ images: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!,
                                      _ digits: UnsafePointer<Int32>!, _ count: Int, _ height: Int32, _ width: Int32,
                                      _ out_pairs: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_pairs, "out_pairs") { () throws(DiptychError) in
        try checkCount(count, of: 8, "count")
        return try Pairs.fromMemory(images: given(images, "images"), targets: targets, digits: digits, count: count,
                                    height: Int(height), width: Int(width))
    }
}

@implementation @_cdecl("diptych_pairs_count")
public func diptych_pairs_count(_ pairs: OpaquePointer!) -> Int {
    (try? object(pairs, Pairs.self, "pairs"))?.count ?? 0
}

@implementation @_cdecl("diptych_pairs_get")
public func diptych_pairs_get(_ pairs: OpaquePointer!, _ out_height: UnsafeMutablePointer<Int32>!,
                              _ out_width: UnsafeMutablePointer<Int32>!, _ out_images: UnsafeMutablePointer<Float>!,
                              _ out_targets: UnsafeMutablePointer<Float>!, _ out_digits: UnsafeMutablePointer<Int32>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let pairs = try object(pairs, Pairs.self, "pairs")
        out_height?.pointee = Int32(pairs.height)
        out_width?.pointee = Int32(pairs.width)
        out_images?.copy(from: pairs.images.pointer, count: pairs.images.count)
        out_targets?.copy(from: pairs.targets.pointer, count: pairs.targets.count)
        guard let out_digits else { return }
        if let digits = pairs.digits {
            out_digits.copy(from: digits.pointer, count: digits.count)
        } else {
            out_digits.update(repeating: -1, count: 2 * pairs.count)
        }
    }
}

@implementation @_cdecl("diptych_pairs_free")
public func diptych_pairs_free(_ pairs: OpaquePointer!) { release(pairs, Pairs.self) }
