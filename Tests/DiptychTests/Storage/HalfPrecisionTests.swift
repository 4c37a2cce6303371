import Testing
@testable import Diptych

/// Half precision by hand against the compiler's own Float16.
@Suite struct HalfPrecisionTests {
    @Test func everyHalfSurvives() {
        for bits in UInt16.min ... UInt16.max {
            let value = SafetensorsTensor.float(half: bits)
            if value.isNaN {
                #expect(SafetensorsTensor.float(half: halfBits(value)).isNaN)
            } else {
                #expect(halfBits(value) == bits)
                #expect(value == Float(Float16(bitPattern: bits)))
            }
        }
    }

    @Test func roundsToNearestEven() {
        let random = Random(seed: 1, purpose: .weights)
        for index in 0 ..< 200_000 {
            // Random bits of every exponent that a half has, and of the neighbours outside.
            let word = random.words(step: 0, index: UInt64(index))
            let exponent = 95 + word[0] % 50
            let value = Float(bitPattern: (word[1] & 0x8000_0000) | exponent << 23 | word[1] & 0x7F_FFFF)
            #expect(halfBits(value) == Float16(value).bitPattern, "\(value)")
        }
        for bits in UInt32(0) ..< 4096 {
            // Just on and beside the ties.
            for base in [Float(1), 0x1p-15, 60000] {
                let value = Float(bitPattern: base.bitPattern &+ bits &* 0x800)
                #expect(halfBits(value) == Float16(value).bitPattern, "\(value)")
            }
        }
    }
}
