import CDiptychPlatform
import Testing

/// One instruction set's kernels.
struct KernelTable: CustomTestStringConvertible, @unchecked Sendable {
    let kernels: dp_kernels

    /// Those that this CPU can run.
    static let all: [KernelTable] = {
        var tables = [KernelTable(kernels: dp_kernels_baseline().pointee)]
        #if arch(x86_64)
        if dp_instruction_set().rawValue >= DP_AVX2.rawValue { tables.append(KernelTable(kernels: dp_kernels_avx2().pointee)) }
        if dp_instruction_set() == DP_AVX512 { tables.append(KernelTable(kernels: dp_kernels_avx512().pointee)) }
        #endif
        return tables
    }()

    var testDescription: String { String(cString: kernels.name) }
}

/// The same numbers in every run: SplitMix64 (Steele, Lea and Flood, 2014).
struct Keyed: RandomNumberGenerator {
    private var state: UInt64

    init(_ key: Int) { state = UInt64(truncatingIfNeeded: key) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1 ... 1) -> [Float] {
        (0 ..< count).map { _ in Float.random(in: range, using: &self) }
    }

    /// Whole numbers, of which sums are exact.
    mutating func whole(_ count: Int, _ range: ClosedRange<Int>) -> [Float] {
        (0 ..< count).map { _ in Float(Int.random(in: range, using: &self)) }
    }
}

/// Memory between two bands that nobody may write to. To a Float they are NaNs, so that what is read from outside shows in the
/// result, too; signalling ones, which any arithmetic makes quiet: a kernel that works on them in their place shows. What was not
/// filled are bytes of 255.
final class Guarded<Element: BitwiseCopyable> {
    let pointer: UnsafeMutablePointer<Element>
    let count: Int
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    private static var band: Int { 512 }
    private static var pattern: [UInt8] { [0xBF, 0xBF, 0xBF, 0xFF] }

    init(count: Int) {
        self.count = count
        size = count * MemoryLayout<Element>.stride + 2 * Self.band
        memory = .allocate(byteCount: size, alignment: 64)
        memset(memory, 255, size)
        for offset in 0 ..< Self.band {
            for start in [0, size - Self.band] { memory.storeBytes(of: Self.pattern[offset % 4], toByteOffset: start + offset, as: UInt8.self) }
        }
        pointer = (memory + Self.band).bindMemory(to: Element.self, capacity: count)
    }

    convenience init(_ values: [Element]) {
        self.init(count: values.count)
        for i in values.indices { pointer[i] = values[i] }
    }

    deinit { memory.deallocate() }

    var values: [Element] { withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: pointer, count: count)) } }

    var bandsAreIntact: Bool {
        withExtendedLifetime(self) {
            let bytes = UnsafeRawBufferPointer(start: memory, count: size)
            let pattern = Self.pattern
            return [bytes.prefix(Self.band), bytes.suffix(Self.band)].allSatisfy { band in
                band.enumerated().allSatisfy { $1 == pattern[$0 % 4] }
            }
        }
    }
}

/// Calls a kernel with the memory of `inputs` and `outputs`, which both live until it returns; expects the inputs and
/// all bands unchanged, and returns the outputs' values.
func call(
    _ inputs: [[Float]], _ outputs: [[Float]], sourceLocation: SourceLocation = #_sourceLocation,
    _ kernel: ([UnsafePointer<Float>], [UnsafeMutablePointer<Float>]) -> Void
) -> [[Float]] {
    let given = inputs.map { Guarded($0) }, made = outputs.map { Guarded($0) }
    kernel(given.map { UnsafePointer($0.pointer) }, made.map(\.pointer))
    for (index, (buffer, values)) in zip(given, inputs).enumerated() {
        #expect(bits(buffer.values) == bits(values) && buffer.bandsAreIntact, "input \(index) was written to", sourceLocation: sourceLocation)
    }
    for (index, buffer) in made.enumerated() {
        #expect(buffer.bandsAreIntact, "written around output \(index)", sourceLocation: sourceLocation)
    }
    return made.map(\.values)
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

func allNaN(_ values: [Float]) -> Bool { values.allSatisfy { $0.isNaN } }

func absolute(_ values: [Float]) -> [Float] { values.map { abs($0) } }

/// `count` floats that nothing has written to yet.
func unwritten(_ count: Int) -> [Float] { [Float](repeating: Float(bitPattern: .max), count: count) }

func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }

/// Half a unit in the last place of 1: the relative error of one rounding.
let roundoff = 0x1p-24

/// How much of what is allowed the worst element takes: at most 1 is right. Element i may be off by `roundings` relative
/// errors of magnitude[i], which is the sum of the absolute values of all that was added up (Higham, "Accuracy and
/// stability of numerical algorithms", section 3.1: n roundings in any order of a sum err by at most about
/// n * 2^-24 * sum |terms|). What the reference left unwritten must be unwritten here.
func worst(_ actual: [Float], _ expected: [Float], magnitude: [Float], roundings: Int) -> Double {
    guard actual.count == expected.count, magnitude.count == expected.count else { return .infinity }
    var result = 0.0
    for i in actual.indices {
        if expected[i].bitPattern == .max {
            if actual[i].bitPattern != .max { return .infinity }
        } else {
            let error = abs(Double(actual[i]) - Double(expected[i]))
            let share = error == 0 ? 0 : error / (Double(roundings) * roundoff * Double(magnitude[i]) + 1e-36)
            if !(share <= result) { result = share.isNaN ? .infinity : share }
        }
    }
    return result
}
