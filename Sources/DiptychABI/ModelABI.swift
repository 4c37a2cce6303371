import CDiptych
import CDiptychPlatform
import Diptych

private var defaultOptions: diptych_model_options {
    let d = NetworkDescription()
    return diptych_model_options(
        struct_size: UInt32(MemoryLayout<diptych_model_options>.size), architecture: d.architecture.rawValue,
        height: Int32(d.height), width: Int32(d.width), classes: Int32(d.classes), channels: Int32(d.channels),
        fc1_width: Int32(d.fc1Width), fc2_width: Int32(d.fc2Width), head_width: Int32(d.headWidth),
        mlp_width1: Int32(d.mlpWidth1), mlp_width2: Int32(d.mlpWidth2), dropout: d.dropout, decision: 0, views: Int32(d.views), seed: 0)
}

@implementation @_cdecl("diptych_model_options_init")
public func diptych_model_options_init(_ options: UnsafeMutablePointer<diptych_model_options>!, _ size: Int) -> diptych_status {
    attempt { () throws(DiptychError) in try initialize(options, size, defaults: defaultOptions) }
}

@implementation @_cdecl("diptych_model_options_recipe")
public func diptych_model_options_recipe(_ options: UnsafeMutablePointer<diptych_model_options>!, _ size: Int,
                                         _ recipe: Int32) -> diptych_status {
    attempt { () throws(DiptychError) in
        let recipe = try choice(recipe, "recipe", atMost: 1, Recipe.self)
        var defaults = defaultOptions
        defaults.dropout = recipe.dropout
        defaults.decision = recipe.decision.rawValue
        defaults.views = Int32(recipe.views)
        try initialize(options, size, defaults: defaults)
    }
}

/// Runs `make` and hands its object out; the out-parameter is NULL on failure.
@inline(__always)
func create(_ out: UnsafeMutablePointer<OpaquePointer?>?, _ name: StaticString,
            _ make: () throws(DiptychError) -> AnyObject) -> diptych_status {
    out?.pointee = nil
    return attempt { () throws(DiptychError) in
        let out = try given(out, name)
        out.pointee = newHandle(try make())
    }
}

@implementation @_cdecl("diptych_model_create")
public func diptych_model_create(_ options: UnsafePointer<diptych_model_options>!,
                                 _ out_model: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_model, "out_model") { () throws(DiptychError) in
        let o = try DiptychABI.options(options, defaults: defaultOptions, "options")
        var d = NetworkDescription(try choice(o.architecture, "architecture", atMost: 2, NetworkDescription.Architecture.self))
        d.height = Int(o.height)
        d.width = Int(o.width)
        d.classes = Int(o.classes)
        d.channels = Int(o.channels)
        d.fc1Width = Int(o.fc1_width)
        d.fc2Width = Int(o.fc2_width)
        d.headWidth = Int(o.head_width)
        d.mlpWidth1 = Int(o.mlp_width1)
        d.mlpWidth2 = Int(o.mlp_width2)
        d.dropout = o.dropout
        d.views = Int(o.views)
        let decision = try choice(o.decision, "decision", atMost: 1, Model.Decision.self)
        let model = try Model(d, seed: o.seed)
        model.decision = decision
        return model
    }
}

@implementation @_cdecl("diptych_model_default")
public func diptych_model_default(_ out_model: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_model, "out_model") { () throws(DiptychError) in try Model.builtIn() }
}

@implementation @_cdecl("diptych_model_load_file")
public func diptych_model_load_file(_ path: UnsafePointer<CChar>!,
                                    _ out_model: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_model, "out_model") { () throws(DiptychError) in try Model.load(path: string(path, "path")) }
}

@implementation @_cdecl("diptych_model_load_memory")
public func diptych_model_load_memory(_ data: UnsafeRawPointer!, _ size: Int,
                                      _ out_model: UnsafeMutablePointer<OpaquePointer?>!) -> diptych_status {
    create(out_model, "out_model") { () throws(DiptychError) in try Model.load(bytes: bytes(data, size, "data"), name: "the model in memory") }
}

@implementation @_cdecl("diptych_model_save_file")
public func diptych_model_save_file(_ model: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> diptych_status {
    attempt { () throws(DiptychError) in try object(model, Model.self, "model").save(path: string(path, "path")) }
}

@implementation @_cdecl("diptych_model_save_memory")
public func diptych_model_save_memory(_ model: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
                                      _ out_size: UnsafeMutablePointer<Int>!) -> diptych_status {
    out_size?.pointee = 0
    return attempt { () throws(DiptychError) in
        let out = try given(out_size, "out_size")
        let model = try object(model, Model.self, "model")
        let size = try model.encodedSize()
        if let buffer {
            try checkCapacity(capacity, needed: size, "the model")
            let file = try model.encoded()
            memcpy(buffer, file.pointer, size)
        } else {
            try checkCapacity(capacity, exactly: 0)
        }
        out.pointee = size
    }
}

@implementation @_cdecl("diptych_model_parameter_count")
public func diptych_model_parameter_count(_ model: OpaquePointer!) -> UInt64 {
    guard let model = try? object(model, Model.self, "model") else { return 0 }
    return UInt64(model.parameterCount)
}

@implementation @_cdecl("diptych_model_describe")
public func diptych_model_describe(_ model: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
                                   _ out_length: UnsafeMutablePointer<Int>!) -> diptych_status {
    out_length?.pointee = 0
    return attempt { () throws(DiptychError) in
        let out = try given(out_length, "out_length")
        let json = try object(model, Model.self, "model").descriptionJSON
        let length = json.utf8.count
        if let buffer {
            try checkCapacity(capacity, needed: length + 1, "the description")
            var place = buffer
            for byte in json.utf8 {
                place.pointee = CChar(bitPattern: byte)
                place += 1
            }
            place.pointee = 0
        } else {
            try checkCapacity(capacity, exactly: 0)
        }
        out.pointee = length
    }
}

@implementation @_cdecl("diptych_model_tensor_get")
public func diptych_model_tensor_get(_ model: OpaquePointer!, _ name: UnsafePointer<CChar>!,
                                     _ out_values: UnsafeMutablePointer<Float>!, _ capacity: Int,
                                     _ out_count: UnsafeMutablePointer<Int>!) -> diptych_status {
    out_count?.pointee = 0
    return attempt { () throws(DiptychError) in
        let out = try given(out_count, "out_count")
        let model = try object(model, Model.self, "model"), name = try string(name, "name")
        let count = try model.count(ofTensor: name)
        if let out_values {
            try checkCapacity(capacity, needed: count, "the tensor")
            try model.copyTensor(name, to: out_values)
        } else {
            try checkCapacity(capacity, exactly: 0)
        }
        out.pointee = count
    }
}

@implementation @_cdecl("diptych_model_tensor_set")
public func diptych_model_tensor_set(_ model: OpaquePointer!, _ name: UnsafePointer<CChar>!,
                                     _ values: UnsafePointer<Float>!, _ count: Int) -> diptych_status {
    attempt { () throws(DiptychError) in
        let model = try object(model, Model.self, "model"), name = try string(name, "name")
        let values = try given(values, "values")
        try checkCount(count, of: 4, "count")
        try model.setTensor(name, to: UnsafeBufferPointer(start: values, count: count))
    }
}

@implementation @_cdecl("diptych_model_views_set")
public func diptych_model_views_set(_ model: OpaquePointer!, _ views: Int32) -> diptych_status {
    attempt { () throws(DiptychError) in try object(model, Model.self, "model").setViews(Int(views)) }
}

@implementation @_cdecl("diptych_model_temperatures_get")
public func diptych_model_temperatures_get(_ model: OpaquePointer!, _ out_head: UnsafeMutablePointer<Float>!,
                                           _ out_classes: UnsafeMutablePointer<Float>!) -> diptych_status {
    attempt { () throws(DiptychError) in
        let temperatures = try object(model, Model.self, "model").temperatures
        out_head?.pointee = temperatures.head
        out_classes?.pointee = temperatures.classes
    }
}

@implementation @_cdecl("diptych_model_temperatures_set")
public func diptych_model_temperatures_set(_ model: OpaquePointer!, _ head: Float, _ classes: Float) -> diptych_status {
    attempt { () throws(DiptychError) in
        try object(model, Model.self, "model").setTemperatures(Temperatures(head: head, classes: classes))
    }
}

@implementation @_cdecl("diptych_model_free")
public func diptych_model_free(_ model: OpaquePointer!) { release(model, Model.self) }
