import CDiptychPlatform

/// Zeroed memory of a fixed count, aligned to 64 bytes, whose allocation can fail without ending the process
/// (an Array's cannot). Reads and writes go through `pointer`; the owner keeps the bounds.
public final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int

    /// Throws `outOfMemory` naming `what`.
    public init(count: Int, for what: StaticString) throws(DiptychError) {
        pointer = try allocate(count, MemoryLayout<Element>.stride, what, zeroed: true).bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// The same, not zeroed: to be written before it is read. A page costs nothing until it is touched.
    init(unwritten count: Int, for what: StaticString) throws(DiptychError) {
        pointer = try allocate(count, MemoryLayout<Element>.stride, what, zeroed: false).bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// The same, zeroed by the threads of `pool`: most of the time that new memory takes is the system's, a page at a time.
    convenience init(count: Int, for what: StaticString, on pool: WorkerPool) throws(DiptychError) {
        try self.init(unwritten: count, for: what)
        try pool.zero(pointer, bytes: max(count, 1) * MemoryLayout<Element>.stride)
    }

    deinit { free(pointer) }

    public subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }

    public var span: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: pointer, count: count) }
}

/// Of at least one element. Apart from the class, which is compiled for each kind of element.
@inline(never)
private func allocate(_ count: Int, _ stride: Int, _ what: StaticString, zeroed: Bool) throws(DiptychError) -> UnsafeMutableRawPointer {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: stride)
    guard count >= 0, !overflow, let memory = zeroed ? dp_allocate(bytes) : dp_reserve(bytes) else {
        throw DiptychError.memory(overflow ? Int.max : bytes, for: "\(what)")
    }
    return memory
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Copies memory that does not overlap. `update(from:count:)` becomes a call for every element where the compiler
    /// optimises for size.
    @inline(__always)
    public func copy(from source: UnsafePointer<Pointee>, count: Int) { memcpy(self, source, count * MemoryLayout<Pointee>.stride) }
}

/// a * b * c, or `limit` naming `what` where it does not fit.
func product(_ factors: Int..., of what: StaticString) throws(DiptychError) -> Int {
    var result = 1
    for factor in factors {
        let (next, overflow) = result.multipliedReportingOverflow(by: factor)
        guard !overflow, factor >= 0 else { throw DiptychError(.limit, "\(what) is too large to count") }
        result = next
    }
    return result
}
