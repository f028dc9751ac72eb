import Testing
import TestSupport

/// The `ipn` program as a user runs it.
enum Tool {
    static let path = Child.built("ipn")

    static func run(_ arguments: [String], input: String = "", user: UInt32? = nil) throws -> Child.Result {
        try Child.run(path, arguments, input: Array(input.utf8), user: user)
    }

    static func start(_ arguments: [String]) throws -> Child { try Child(path, arguments) }

    /// Runs it and expects that it works, without a word on standard error.
    @discardableResult
    static func succeed(_ arguments: [String], input: String = "") throws -> Child.Result {
        let result = try run(arguments, input: input)
        #expect(result.status == 0 && result.errors.isEmpty, "ipn \(arguments): \(result.status) \(result.errors)")
        return result
    }
}
