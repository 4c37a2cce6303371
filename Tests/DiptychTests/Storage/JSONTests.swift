import Foundation
import Testing

@testable import Diptych

@Suite struct JSONTests {
    /// Reads {"a": [numbers], "b": "text", ...} as far as the reader allows, and returns all that it found as text.
    func read(_ bytes: [UInt8]) throws -> [String] {
        var found: [String] = []
        try bytes.withUnsafeBytes { text in
            var reader = JSONReader(text) { DiptychError(.corrupt, "byte \($0): \($1)") }
            try reader.object { (reader, key) throws(DiptychError) in
                found.append(key.decoded(limit: 100) ?? "too long")
                if key.equals("n") {
                    try reader.array { (reader) throws(DiptychError) in found.append("\(try reader.natural())") }
                } else {
                    found.append(try reader.string().decoded(limit: 100) ?? "too long")
                }
            }
            try reader.end()
        }
        return found
    }

    func read(_ text: String) throws -> [String] { try read(Array(text.utf8)) }

    @Test func readsWhatIsRight() throws {
        #expect(try read("{}") == [])
        #expect(try read(" { \"n\" : [ 0 , 12,9223372036854775807 ] , \"b\":\"\" }\n") == ["n", "0", "12", "9223372036854775807", "b", ""])
        #expect(try read(#"{"a\u0062":"\"\\\/\b\f\n\r\t \u00e9\u20AC\uD83D\uDE00\u0000"}"#)
            == ["ab", "\"\\/\u{8}\u{c}\n\r\t é€😀\0"])
        #expect(try read("{\"é€😀\":\"\u{7f}\u{10FFFF}\"}") == ["é€😀", "\u{7f}\u{10FFFF}"])
    }

    @Test(arguments: [
        "", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":\"b\"", "{\"a\":\"b\",}", "{\"a\":\"b\" \"c\":\"d\"}", "{,}", "{a:\"b\"}", "{'a':'b'}",
        "{\"a\":\"b\"}x", "{\"a\":\"b\"}}", "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"b\",\"\\u0061\":\"c\"}", "{\"a\":1}", "{\"a\":null}",
        "{\"n\":[1,]}", "{\"n\":[,1]}", "{\"n\":[1 2]}", "{\"n\":[01]}", "{\"n\":[-1]}", "{\"n\":[1.0]}", "{\"n\":[1e3]}", "{\"n\":[+1]}",
        "{\"n\":[0x1]}", "{\"n\":[9223372036854775808]}", "{\"n\":[99999999999999999999999999]}", "{\"n\":[\"1\"]}", "{\"n\":[[1]]}",
        "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\uD800\"}", "{\"a\":\"\\uD800x\"}", "{\"a\":\"\\uDC00\"}",
        "{\"a\":\"\\uD800\\u0041\"}", "{\"a\":\"\\", "{\"a\":\"\\u", "{\"a\":\"line\nbreak\"}", "{\"a\":\"\u{1f}\"}", "{\"a\":\"b\"/**/}",
        "\u{feff}{}",
    ])
    func refusesWhatIsWrong(text: String) {
        expectError(.corrupt, "byte ") { _ = try read(text) }
    }

    /// Overlong forms, surrogates, beyond U+10FFFF, stray and missing continuation bytes.
    @Test(arguments: [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
    ] as [[UInt8]])
    func refusesWhatIsNoUTF8(bytes: [UInt8]) {
        expectError(.corrupt, "UTF-8") { _ = try read(Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)) }
        expectError(.corrupt) { _ = try read(Array("{\"a\":\"".utf8) + bytes) }
    }

    /// A document of scalars in one array, each as text.
    func scalars(_ text: String) throws -> [String] {
        var found: [String] = []
        try Array(text.utf8).withUnsafeBytes { text in
            var reader = JSONReader(text) { DiptychError(.corrupt, "byte \($0): \($1)") }
            try reader.array { (reader) throws(DiptychError) in
                switch try reader.kind() {
                case .number: found.append(try reader.number())
                case .word: found.append(try reader.word().map { "\($0)" } ?? "nil")
                case .string: found.append(try reader.string().decoded(limit: 9) ?? "")
                case .object: found.append("object"); try reader.object { _, _ in }
                case .array: found.append("array"); try reader.array { _ in }
                }
            }
            try reader.end()
        }
        return found
    }

    @Test func readsScalars() throws {
        #expect(try scalars("[ 0, -0, 12.50 ,1e5,-1E-07,3e+2,18446744073709551615, true,false , null, \"\", {}, []]")
            == ["0", "-0", "12.50", "1e5", "-1E-07", "3e+2", "18446744073709551615", "true", "false", "nil", "", "object", "array"])
    }

    @Test(arguments: ["[+1]", "[.5]", "[1.]", "[01]", "[-]", "[--1]", "[1e]", "[1e+]", "[1.e1]", "[NaN]", "[tru]", "[True]", "[nul", "[-", "[1", "[1.2.3]"])
    func refusesOtherScalars(text: String) {
        expectError(.corrupt, "byte ") { _ = try scalars(text) }
    }

    @Test func boundsMembersAndLengths() throws {
        let members = (0 ... JSONReader.memberLimit).map { "\"\($0)\":\"\"" }
        #expect(try read("{" + members.dropLast().joined(separator: ",") + "}").count == 2 * JSONReader.memberLimit)
        expectError(.corrupt, "4096") { _ = try read("{" + members.joined(separator: ",") + "}") }
        let long = String(repeating: "x", count: 101)
        #expect(try read("{\"a\":\"\(long)\"}") == ["a", "too long"])
    }

    @Test func writesAndFoundationReadsIt() throws {
        var json = JSONWriter()
        json.object {
            $0.member("text", "a\"b\\c\nd\te\rf\u{1}g\u{1f}h é😀\u{7f}/")
            $0.member("int", Int.min)
            $0.member("yes", true)
            $0.member("tenth", 0.1)
            $0.member("nan", Double.nan)
            $0.member("shape", [64, 1568])
            $0.array("empty") { _ in }
            $0.array("layers") {
                $0.object { $0.member("name", "fc1") }
                $0.object { _ in }
                $0.value("last")
            }
        }
        #expect(json.text.hasSuffix(#""tenth":0.1,"nan":null,"shape":[64,1568],"empty":[],"layers":[{"name":"fc1"},{},"last"]}"#))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
        #expect(object["text"] as? String == "a\"b\\c\nd\te\rf\u{1}g\u{1f}h é😀\u{7f}/")
        #expect(object["int"] as? Int == Int.min)
        #expect(object["yes"] as? Bool == true)
        #expect(object["tenth"] as? Double == 0.1)
        #expect(object["shape"] as? [Int] == [64, 1568])
    }

    @Test func numbersAsTextReadBackAsTheSameBits() {
        let awkward: [Double] = [0, -0.0, 0.1, 1 / 3, .pi, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 33.318421, -1e-7]
        for value in awkward + (1 ... 200).map({ 1 / Double($0) }) {
            #expect(ExactText.decode(ExactText.encode(value))?.bitPattern == value.bitPattern, "\(value)")
        }
        #expect(ExactText.encode(0.1) == "0.1")
        for bad in ["", " 1", "1 ", "nan", "inf", "1x", "1e999"] { #expect(ExactText.decode(bad) == nil, "\(bad)") }
        for value: UInt64 in [0, 1, 0xDEAD_BEEF, .max, 1 << 63] {
            #expect(ExactText.decodeHex(ExactText.encode(value)) == value)
        }
        #expect(ExactText.encode(UInt64(0xAB)) == "00000000000000ab")
        for bad in ["", "ab", "00000000000000ag", "00000000000000000", "00000000000000AB"] { #expect(ExactText.decodeHex(bad) == nil, "\(bad)") }
    }
}
