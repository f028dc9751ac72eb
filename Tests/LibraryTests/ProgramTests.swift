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

    /// One that is made for both: against the library, or for AF_IPN and run under the preload.
    private func run(_ name: String, isUnderPreload: Bool, _ arguments: [String] = []) throws {
        let installation = try Installation.shared.get()
        let program = try installation.compile(name, isUnderPreload: isUnderPreload)
        let words = (isUnderPreload ? ["run", "--", program] : []) + [path] + arguments
        let result = try Child.run(isUnderPreload ? "\(installation.prefix)/bin/ipn" : program, words)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test func everyCall() throws {
        _ = try run("calls")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func whatIsWrongIsAnErrorAndLosesNothing() throws {
        _ = try run("misuse")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func noCallIsHeldUpByAnotherThatSleeps() throws {
        _ = try run("beside")
        try eventually("the networks are gone") { scratch.contents.isEmpty }
    }

    /// Hundreds of times: who comes just then finds no socket, and makes none.
    @Test(arguments: [false, true]) func aCloseEndsTheCallsOfOtherThreads(isUnderPreload: Bool) throws {
        try run("closing", isUnderPreload: isUnderPreload)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    /// Thousands of times: a wake-up that is lost is one that came between two steps. By the library, as each kind of set has it;
    /// by the preload, as sockets have it.
    @Test(arguments: ["library edge", "library level", "preload edge", "preload level"])
    func noRoomIsMissed(way: String) throws {
        try run("room", isUnderPreload: way.hasPrefix("preload"), [way.hasSuffix("edge") ? "edge" : "level", "10000"])
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
        // It holds all its parent's descriptors, and no node.
        let tool = try Installation.shared.get().prefix + "/bin/ipn"
        #expect(try Child.run(tool, ["show", path]).text.contains("0 of 32 nodes"))
        kill(silent, SIGKILL)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    /// Daemons: the process that binds ends, and its child goes on.
    @Test(arguments: ["bound", "connected", "passed"], [false, true])
    func whatIsInheritedOutlivesItsMaker(what: String, isUnderPreload: Bool) throws {
        try run("daemon", isUnderPreload: isUnderPreload, [what])
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func whatTheLibraryHasForItselfIsNotClosed() throws {
        try run("careless", isUnderPreload: true)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    @Test func whoClosesItAllTheSameIsTold() throws {
        _ = try run("clobbered")
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    /// Forty times, in programs of both kinds.
    @Test(arguments: [false, true]) func aProgramForksWhileItsThreadsAreInCalls(isUnderPreload: Bool) throws {
        try run("forking", isUnderPreload: isUnderPreload)
        try eventually("the networks are gone") { scratch.contents.isEmpty }
    }

    /// A hundred times, in programs of both kinds.
    @Test(arguments: [false, true]) func aForkedChildsThreadsDoNotKeepEachOther(isUnderPreload: Bool) throws {
        try run("crowded", isUnderPreload: isUnderPreload)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    /// Plainly; from a signal handler, amid calls; by clone(2), which runs none of our handlers.
    @Test(arguments: ["plain", "handler", "clone"]) func whoeverForksGoesOn(way: String) throws {
        let sources = Installation.root + "/Sources/CLinux/include"
        let program = try Installation.shared.get().compile("forkers", flags: "-D_GNU_SOURCE -pthread '-I\(sources)'")
        let result = try Child.run(program, [way])
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test func whoLetsGoOfTheLibraryGoesOn() throws {
        let installation = try Installation.shared.get()
        let tool = installation.prefix + "/bin/ipn"
        #expect(try Child.run(tool, ["create", path]).status == 0)
        let program = try installation.compile("loaded", flags: "-pthread '-I\(installation.prefix)/include'")
        let result = try Child.run(program, [installation.prefix + "/lib/libipn.so", path])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Child.run(tool, ["remove", path]).status == 0)
    }

    /// Where the Swift run-time finds its backtracer, it would handle seven signals, on a stack of its own.
    @Test func theProgramsSignalsAreItsOwn() throws {
        let program = try Installation.shared.get().compile("handlers")
        let place = #"swiftc -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1|p'"#
        func handled(_ settings: String) throws -> Int? {
            Int(try Installation.run("sh", "-c", "export SWIFT_ROOT=$(\(place)); \(settings); exec '\(program)'").trimmingCharacters(in: .newlines))
        }
        #expect(try handled("unset SWIFT_BACKTRACE") == 0)
        // It is found here: who asks for it has it.
        #expect(try handled("export SWIFT_BACKTRACE=enable=yes") == 8)
    }

    @Test(arguments: [false, true]) func aHandlerUsesTheSocketThatItHasInterrupted(isUnderPreload: Bool) throws {
        try run("interrupted", isUnderPreload: isUnderPreload)
        try eventually("the network is gone") { scratch.contents.isEmpty }
    }

    /// The thread that a handler has interrupted, and one that came while nobody seemed to sleep.
    @Test(arguments: [false, true]) func twoThreadsDoNotTakeOneMessage(isUnderPreload: Bool) throws {
        try run("overtaken", isUnderPreload: isUnderPreload)
        try eventually("the network is gone") { scratch.contents.isEmpty }
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
