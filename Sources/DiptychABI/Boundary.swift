import CDiptych
import CDiptychPlatform
import Diptych

// What every function of the C API goes through: nothing behind it sees a NULL, a wrong size or a count that is not one.

/// Runs `body` in the library's floating-point mode; turns what it throws into a status and this thread's last error. Never inlined:
/// the mode is changed around a call, and 27 copies would be 3 KB.
@inline(never)
func attempt(_ body: () throws(DiptychError) -> Void) -> diptych_status {
    let host = dp_float_mode_enter()
    defer { dp_float_mode_set(host) }
    do throws(DiptychError) {
        try body()
        return DiptychError.Status.ok.rawValue
    } catch {
        var message = error.message
        message.withUTF8 { dp_set_last_error(UnsafeRawPointer($0.baseAddress)?.assumingMemoryBound(to: CChar.self), $0.count) }
        return error.status.rawValue
    }
}

/// The argument, or `invalidArgument` naming it where it is NULL.
func given<T>(_ argument: T?, _ name: StaticString) throws(DiptychError) -> T {
    guard let argument else { throw DiptychError(.invalidArgument, "\(name) is NULL") }
    return argument
}

/// A path or name, which must be UTF-8.
func string(_ argument: UnsafePointer<CChar>?, _ name: StaticString) throws(DiptychError) -> String {
    let argument = try given(argument, name)
    guard let text = String(validatingCString: argument) else { throw DiptychError(.invalidArgument, "\(name) is not UTF-8") }
    guard !text.isEmpty else { throw DiptychError(.invalidArgument, "\(name) is empty") }
    return text
}

/// A count of elements of `size` bytes that could lie in memory (size_t arrives as Int, so huge ones are negative).
func checkCount(_ count: Int, of size: Int, _ name: StaticString) throws(DiptychError) {
    guard count >= 0 && count <= (1 << 47) / max(size, 1) else {
        throw DiptychError(.invalidArgument, "\(name) is \(UInt(bitPattern: count)), which is more than memory can hold")
    }
}

func bytes(_ data: UnsafeRawPointer?, _ size: Int, _ name: StaticString) throws(DiptychError) -> UnsafeRawBufferPointer {
    let data = try given(data, name)
    try checkCount(size, of: 1, "size")
    return UnsafeRawBufferPointer(start: data, count: size)
}

// MARK: Handles

func newHandle(_ object: AnyObject) -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(object).toOpaque()) }

func object<T: AnyObject>(_ handle: OpaquePointer?, _ type: T.Type, _ name: StaticString) throws(DiptychError) -> T {
    Unmanaged<T>.fromOpaque(UnsafeRawPointer(try given(handle, name))).takeUnretainedValue()
}

func release<T: AnyObject>(_ handle: OpaquePointer?, _ type: T.Type) {
    if let handle { Unmanaged<T>.fromOpaque(UnsafeRawPointer(handle)).release() }
}

// MARK: Structs that grow

/// A struct of the C API that begins with struct_size and only ever grows at its end.
protocol GrowingStruct {
    /// The size in the first version that had the struct: fixed for ever.
    static var firstSize: Int { get }
}

extension diptych_model_options: GrowingStruct { static var firstSize: Int { 64 } }
extension diptych_image_options: GrowingStruct { static var firstSize: Int { 32 } }
extension diptych_trainer_options: GrowingStruct { static var firstSize: Int { 64 } }
extension diptych_progress: GrowingStruct { static var firstSize: Int { 80 } }
extension diptych_evaluation: GrowingStruct { static var firstSize: Int { 56 } }

/// The largest struct_size that is believed.
private let largestStruct = 4096

/// The caller's options over the defaults: an older program's struct is shorter. A longer one is a newer program's: what
/// this version does not know must then be zero.
func options<T: GrowingStruct>(_ pointer: UnsafePointer<T>?, defaults: T, _ name: StaticString) throws(DiptychError) -> T {
    guard let pointer else { return defaults }
    let raw = UnsafeRawPointer(pointer)
    let given = try structSize(raw, T.self, name)
    var size = MemoryLayout<T>.size
    while size < given {
        guard raw.load(fromByteOffset: size, as: UInt8.self) == 0 else {
            throw DiptychError(.invalidArgument, "\(name) has an option at byte \(size) that this version of the library does not know")
        }
        size += 1
    }
    var result = defaults
    memcpy(&result, raw, min(given, MemoryLayout<T>.size))
    return result
}

/// Fills the caller's struct of `size` bytes with the defaults.
func initialize<T: GrowingStruct>(_ pointer: UnsafeMutablePointer<T>?, _ size: Int, defaults: T) throws(DiptychError) {
    let pointer = try given(pointer, "options")
    try checkStructSize(size, T.self, "options")
    memset(pointer, 0, size)
    write(defaults, to: pointer, size: size)
}

/// Throws unless the result struct, where there is one, was prepared for this call.
func checkResult<T: GrowingStruct>(_ pointer: UnsafeMutablePointer<T>?, _ name: StaticString) throws(DiptychError) {
    if let pointer { _ = try structSize(UnsafeRawPointer(pointer), T.self, name) }
}

/// Fills a checked result struct, no further than its struct_size, which stays.
func fill<T: GrowingStruct>(_ pointer: UnsafeMutablePointer<T>?, with result: T) {
    guard let pointer else { return }
    write(result, to: pointer, size: Int(UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self)))
}

private func write<T: GrowingStruct>(_ value: T, to pointer: UnsafeMutablePointer<T>, size: Int) {
    var value = value
    memcpy(pointer, &value, min(size, MemoryLayout<T>.size))
    UnsafeMutableRawPointer(pointer).storeBytes(of: UInt32(truncatingIfNeeded: size), as: UInt32.self)
}

private func structSize<T: GrowingStruct>(_ raw: UnsafeRawPointer, _ type: T.Type, _ name: StaticString) throws(DiptychError) -> Int {
    let size = Int(raw.loadUnaligned(as: UInt32.self))
    try checkStructSize(size, type, name)
    return size
}

private func checkStructSize<T: GrowingStruct>(_ size: Int, _ type: T.Type, _ name: StaticString) throws(DiptychError) {
    guard size >= T.firstSize && size <= largestStruct else {
        throw DiptychError(.invalidArgument, "the struct_size of \(name) is \(UInt(bitPattern: size)), but must be from \(T.firstSize) to \(largestStruct); initialize it as the header says")
    }
}

/// A member that must be one of an enum's values.
func choice<T: RawRepresentable>(_ value: Int32, _ name: StaticString, atMost largest: Int32, _ type: T.Type) throws(DiptychError) -> T
where T.RawValue == Int32 {
    guard let choice = T(rawValue: value) else {
        throw DiptychError(.invalidArgument, "\(name) is \(value), but must be from 0 to \(largest)")
    }
    return choice
}

/// Copies `count` values out where the caller asked for them: with target NULL only the count is wanted.
func checkCapacity(_ capacity: Int, needed: Int, _ name: StaticString) throws(DiptychError) {
    try checkCount(capacity, of: 1, "capacity")
    guard capacity >= needed else {
        throw DiptychError(.invalidArgument, "capacity is \(capacity), but \(name) needs \(needed)")
    }
}

/// Where a NULL buffer asks for the size alone.
func checkCapacity(_ capacity: Int, exactly zero: Int) throws(DiptychError) {
    guard capacity == zero else {
        throw DiptychError(.invalidArgument, "capacity is \(UInt(bitPattern: capacity)), but the buffer is NULL")
    }
}
