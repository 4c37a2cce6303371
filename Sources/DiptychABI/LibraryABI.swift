import CDiptych
import CDiptychPlatform
import CDiptychPNG
import Diptych

@implementation @_cdecl("diptych_version")
public func diptych_version() -> Int32 {
    10000 * Int32(DIPTYCH_VERSION_MAJOR) + 100 * Int32(DIPTYCH_VERSION_MINOR) + Int32(DIPTYCH_VERSION_PATCH)
}

/// Texts that live as long as the process.
nonisolated(unsafe) private let versionText: UnsafeMutablePointer<CChar>? = strdup(DIPTYCH_VERSION_STRING)
nonisolated(unsafe) private let buildText: UnsafeMutablePointer<CChar>? = {
    #if hasFeature(Embedded)
    let build: StaticString = "Embedded Swift"
    #else
    let build: StaticString = "Swift"
    #endif
    return dp_build_text(versionText, cString(build), instructionSet, dp_png_library_version())
}()

@implementation @_cdecl("diptych_version_string")
public func diptych_version_string() -> UnsafePointer<CChar>! { UnsafePointer(versionText) ?? emptyText }

@implementation @_cdecl("diptych_build_info")
public func diptych_build_info() -> UnsafePointer<CChar>! { UnsafePointer(buildText) ?? emptyText }

private var emptyText: UnsafePointer<CChar> { cString("") }

private func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@implementation @_cdecl("diptych_status_name")
public func diptych_status_name(_ status: diptych_status) -> UnsafePointer<CChar>! {
    guard let status = DiptychError.Status(rawValue: status) else { return cString("unknown status") }
    return switch status {
    case .ok: cString("DIPTYCH_OK")
    case .invalidArgument: cString("DIPTYCH_ERROR_INVALID_ARGUMENT")
    case .outOfMemory: cString("DIPTYCH_ERROR_OUT_OF_MEMORY")
    case .notFound: cString("DIPTYCH_ERROR_NOT_FOUND")
    case .io: cString("DIPTYCH_ERROR_IO")
    case .format: cString("DIPTYCH_ERROR_FORMAT")
    case .corrupt: cString("DIPTYCH_ERROR_CORRUPT")
    case .limit: cString("DIPTYCH_ERROR_LIMIT")
    case .blankImage: cString("DIPTYCH_ERROR_BLANK_IMAGE")
    case .mismatch: cString("DIPTYCH_ERROR_MISMATCH")
    case .diverged: cString("DIPTYCH_ERROR_DIVERGED")
    case .finished: cString("DIPTYCH_ERROR_FINISHED")
    case .system: cString("DIPTYCH_ERROR_SYSTEM")
    case .cancelled: cString("DIPTYCH_CANCELLED")
    }
}

@implementation @_cdecl("diptych_last_error")
public func diptych_last_error() -> UnsafePointer<CChar>! { dp_last_error() }
