import CDiptychPlatform

/// `value` in decimal with up to `digits` significant digits: Embedded Swift cannot print floating point.
public func text(_ value: Double, digits: Int = 6) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
        _ = dp_format_double(buffer.baseAddress!, 64, Int32(digits), value)
        return String(cString: buffer.baseAddress!)
    }
}

public func text(_ value: Float) -> String { text(Double(value)) }
