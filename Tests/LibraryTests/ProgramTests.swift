import Foundation
import Testing
import TestSupport

/// Programs in C that use the installed library.
@Suite struct ProgramTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        // Also for another user.
        chmod(scratch.path, 0o777)
    }

    private func run(_ name: String) throws -> String {
        let result = try Child.run(try Installation.shared.get().compile(name), [path])
        #expect(result.status == 0, "\(result.errors)")
        return result.text
    }

    @Test func everyCall() throws {
        _ = try run("calls")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func aPolicysOptionsRequestsAndNews() throws {
        let tool = try Installation.shared.get().prefix + "/bin/ipn"
        #expect(try Child.run(tool, ["create", path, "--policy", Child.built("libsieve.so")]).status == 0)
        _ = try run("routed")
        #expect(try Child.run(tool, ["remove", path]).status == 0)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func aForkedChildHasItsOwnNode() throws {
        let silent = try #require(pid_t(try run("forked").trimmingCharacters(in: .newlines)))
        defer { kill(silent, SIGKILL) }
        // It holds all its parent's descriptors, and no node.
        try eventually("the network is gone") { scratch.contents.isEmpty }
        #expect(kill(silent, 0) == 0)
    }

    /// Forty times, in programs of both kinds.
    @Test(arguments: [false, true]) func aProgramForksWhileItsThreadsAreInCalls(isUnderPreload: Bool) throws {
        let installation = try Installation.shared.get()
        let program = try installation.compile("forking", isUnderPreload: isUnderPreload)
        let words = isUnderPreload ? ["run", "--", program, path] : [path]
        let result = try Child.run(isUnderPreload ? "\(installation.prefix)/bin/ipn" : program, words)
        #expect(result.status == 0, "\(result.errors)")
        try eventually("the networks are gone") { scratch.contents.isEmpty }
    }

    @Test func afterExecItGoesOnWhereItWas() throws {
        _ = try run("replaced")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func whoIsPassedADescriptorHasItsRights() throws {
        _ = try run("passed")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }
}
