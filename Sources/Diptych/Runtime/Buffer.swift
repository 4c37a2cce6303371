import CDiptychPlatform

/// Zeroed memory of a fixed count, aligned to 64 bytes, whose allocation can fail without ending the process
/// (an Array's cannot). Reads and writes go through `pointer`; the owner keeps the bounds.
public final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int

    /// Throws `outOfMemory` naming `what`.
    public init(count: Int, for what: StaticString) throws(DiptychError) {
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow, let memory = dp_allocate(bytes) else {
            throw DiptychError.memory(overflow ? Int.max : bytes, for: "\(what)")
        }
        pointer = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// The same, zeroed by the threads of `pool`: most of the time that new memory takes is the system's, a page at a time.
    init(count: Int, for what: StaticString, on pool: WorkerPool) throws(DiptychError) {
        let bytes = try product(max(count, 1), MemoryLayout<Element>.stride, of: what)
        guard let memory = dp_reserve(bytes) else { throw DiptychError.memory(bytes, for: "\(what)") }
        pointer = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
        try pool.zero(memory, bytes: bytes)
    }

    deinit { free(pointer) }

    public subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }

    public var span: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: pointer, count: count) }
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
