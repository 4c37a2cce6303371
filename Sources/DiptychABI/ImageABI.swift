import CDiptych
import CDiptychPlatform
import Diptych

private var defaultOptions: diptych_image_options {
    let o = ImageOptions()
    return diptych_image_options(struct_size: UInt32(MemoryLayout<diptych_image_options>.size), mode: o.mode.rawValue,
                                 height: Int32(o.height), width: Int32(o.width), polarity: o.polarity.rawValue,
                                 background: Int32(o.background), max_height: Int32(o.maxHeight), max_width: Int32(o.maxWidth))
}

@implementation @_cdecl("diptych_image_options_init")
public func diptych_image_options_init(_ options: UnsafeMutablePointer<diptych_image_options>!, _ size: Int) -> diptych_status {
    attempt { () throws(DiptychError) in try initialize(options, size, defaults: defaultOptions) }
}

func imageOptions(_ options: UnsafePointer<diptych_image_options>?) throws(DiptychError) -> ImageOptions {
    let o = try DiptychABI.options(options, defaults: defaultOptions, "options")
    var result = ImageOptions()
    result.mode = try choice(o.mode, "mode", atMost: 1, ImageOptions.Mode.self)
    result.height = Int(o.height)
    result.width = Int(o.width)
    result.polarity = try choice(o.polarity, "polarity", atMost: 2, ImageOptions.Polarity.self)
    result.background = Int(o.background)
    result.maxHeight = Int(o.max_height)
    result.maxWidth = Int(o.max_width)
    try result.validate()
    return result
}

/// Copies an image that `load` makes to the caller, or tells its size alone.
private func deliver(_ options: UnsafePointer<diptych_image_options>?, _ out_pixels: UnsafeMutablePointer<Float>?, _ capacity: Int,
                     _ out_count: UnsafeMutablePointer<Int>?,
                     _ load: (ImageOptions) throws(DiptychError) -> Buffer<Float>) -> diptych_status {
    out_count?.pointee = 0
    return attempt { () throws(DiptychError) in
        let out = try given(out_count, "out_count")
        let options = try imageOptions(options)
        let count = options.height * options.width
        if let out_pixels {
            try checkCapacity(capacity, needed: count, "the image")
            let pixels = try load(options)
            withExtendedLifetime(pixels) { out_pixels.copy(from: pixels.pointer, count: count) }
        } else {
            try checkCapacity(capacity, exactly: 0)
        }
        out.pointee = count
    }
}

@implementation @_cdecl("diptych_image_load_png_file")
public func diptych_image_load_png_file(_ path: UnsafePointer<CChar>!, _ options: UnsafePointer<diptych_image_options>!,
                                        _ out_pixels: UnsafeMutablePointer<Float>!, _ capacity: Int,
                                        _ out_count: UnsafeMutablePointer<Int>!) -> diptych_status {
    deliver(options, out_pixels, capacity, out_count) { (options) throws(DiptychError) in
        try loadPNG(path: string(path, "path"), options: options)
    }
}

@implementation @_cdecl("diptych_image_load_png_memory")
public func diptych_image_load_png_memory(_ data: UnsafeRawPointer!, _ size: Int, _ options: UnsafePointer<diptych_image_options>!,
                                          _ out_pixels: UnsafeMutablePointer<Float>!, _ capacity: Int,
                                          _ out_count: UnsafeMutablePointer<Int>!) -> diptych_status {
    deliver(options, out_pixels, capacity, out_count) { (options) throws(DiptychError) in
        try loadPNG(bytes: bytes(data, size, "data"), name: "the image in memory", options: options)
    }
}
