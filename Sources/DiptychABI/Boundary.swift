import CDiptych
import CDiptychPlatform
import Diptych

// What every function of the C API goes through: nothing behind it sees a NULL, a wrong size or a count that is not one.

/// Runs `body`; turns what it throws into a status and this thread's last error.
@inline(__always)
func attempt(_ body: () throws(DiptychError) -> Void) -> diptych_status {
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

/// The largest struct_size that is believed.
private let largestStruct = 4096

/// The caller's options over the defaults. A larger struct than this version's is a newer program's: what this version
/// does not know must then be zero.
func options<T: BitwiseCopyable>(_ pointer: UnsafePointer<T>?, defaults: T, _ name: StaticString) throws(DiptychError) -> T {
    guard let pointer else { return defaults }
    let size = MemoryLayout<T>.size
    let raw = UnsafeRawPointer(pointer)
    let given = Int(raw.loadUnaligned(as: UInt32.self))
    guard given >= size && given <= largestStruct else { throw wrongSize(given, size, name) }
    for offset in size ..< given where raw.load(fromByteOffset: offset, as: UInt8.self) != 0 {
        throw DiptychError(.invalidArgument, "\(name) has an option at byte \(offset) that this version of the library does not know")
    }
    return raw.loadUnaligned(as: T.self)
}

/// Fills the caller's struct of `size` bytes with the defaults.
func initialize<T: BitwiseCopyable>(_ pointer: UnsafeMutablePointer<T>?, _ size: Int, defaults: T) throws(DiptychError) {
    let pointer = try given(pointer, "options")
    guard size >= MemoryLayout<T>.size && size <= largestStruct else { throw wrongSize(size, MemoryLayout<T>.size, "options") }
    memset(pointer, 0, size)
    pointer.pointee = defaults
    UnsafeMutableRawPointer(pointer).storeBytes(of: UInt32(size), as: UInt32.self)
}

/// Throws unless the result struct, where there is one, was prepared for this call.
func checkResult<T: BitwiseCopyable>(_ pointer: UnsafeMutablePointer<T>?, _ name: StaticString) throws(DiptychError) {
    guard let pointer else { return }
    let size = Int(UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self))
    guard size >= MemoryLayout<T>.size && size <= largestStruct else { throw wrongSize(size, MemoryLayout<T>.size, name) }
}

private func wrongSize(_ given: Int, _ expected: Int, _ name: StaticString) -> DiptychError {
    DiptychError(.invalidArgument, "the struct_size of \(name) is \(UInt(bitPattern: given)), but must be from \(expected) to \(largestStruct); initialize it as the header says")
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
