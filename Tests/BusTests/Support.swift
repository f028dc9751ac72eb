import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

extension NetworkOptions {
    /// The defaults with a change.
    static func with(_ change: (inout NetworkOptions) -> Void) -> NetworkOptions {
        var options = NetworkOptions()
        change(&options)
        return options
    }
}

/// Whatever error has this code.
struct CodeOnly: Error, Equatable { let code: CInt }

func errno(_ code: CInt) -> CodeOnly { CodeOnly(code: code) }

/// `#expect(throws:)` for the code alone: the text is for people.
@discardableResult
func expect<Result>(
    throws expected: CodeOnly, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) -> Bool {
    do {
        _ = try body()
        Issue.record("nothing was thrown, \(expected) was due", sourceLocation: sourceLocation)
    } catch let error as IPNError {
        if error.errno.rawValue == expected.code { return true }
        Issue.record("\(expected) was due: \(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(expected) was due: \(error)", sourceLocation: sourceLocation)
    }
    return false
}

extension Node {
    /// Everything that is there now.
    func drain() throws -> [Message] {
        var messages: [Message] = []
        while let message = try receive(timeout: .zero) { messages.append(message) }
        return messages
    }
}

extension Message {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
