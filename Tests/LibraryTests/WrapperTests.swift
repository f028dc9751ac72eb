import Foundation
import Testing
import TestSupport

/// What the preload does for each function that it stands in front of: Tests/Programs/Wrappers has a check for each.
@Suite struct WrapperTests {
    /// The checks, compiled as distributions compile programs.
    private static let program = Result {
        let installation = try Installation.shared.get()
        let program = "\(installation.prefix)/wrappers-test"
        // Not the compiler that comes with Swift: with this C library it fortifies next to nothing.
        try Installation.run(
            "sh", "-c", "exec gcc -std=gnu11 -O2 -Wall -Wextra -Werror '\(Installation.root)'/Tests/Programs/Wrappers/*.c -o '\(program)'")
        return program
    }

    private func names() throws -> [String] {
        try Installation.run(try Self.program.get()).split(separator: "\n").map(String.init)
    }

    private func check(_ name: String, under library: String) throws -> Child.Result {
        let scratch = try Scratch()
        let words = ["LD_PRELOAD=\(library)", try Self.program.get(), name, scratch("net")]
        return try Child.run("/usr/bin/env", words)
    }

    @Test func eachFunctionHasACheckThatPasses() throws {
        let library = try Installation.shared.get().prefix + "/lib/libipn-preload.so"
        let shown = try Installation.run("sh", "-c", "nm -D --defined-only '\(library)' | awk '$2 == \"T\" { print $3 }'")
        #expect(try Set(shown.split(separator: "\n").map(String.init)) == Set(names()))
        for name in try names() {
            let result = try check(name, under: library)
            #expect(result.status == 0, "\(name): \(result.errors)")
        }
    }

    /// A check that passes without the function that it is about would show nothing.
    @Test func eachCheckFailsWithoutItsFunction() throws {
        let prefix = try Installation.shared.get().prefix
        let (sources, objects) = ("\(Installation.root)/Sources", try Scratch())
        try Installation.run(
            "sh", "-c",
            "cd '\(objects.path)' && exec gcc -O2 -fPIC -c -I'\(sources)/CIPN/include' '\(sources)'/Preload/*.c")
        // Beside the library that it loads.
        let lacking = "\(prefix)/lib/libipn-lacking.so"
        for name in try names() {
            try "{ local: \(name); };".write(toFile: objects("script"), atomically: false, encoding: .utf8)
            try Installation.run(
                "sh", "-c", "exec gcc -shared '\(objects.path)'/*.o -Wl,--version-script='\(objects("script"))' -o '\(lacking)'")
            #expect(try check(name, under: lacking).status != 0, "\(name)")
        }
    }

    /// What it costs whoever reads from something else is counted, as time on a busy machine tells nothing: see Tools/preload-cost.
    @Test(arguments: [[], ["beside"]]) func aReadOfSomethingElseCostsSevenInstructions(words: [String]) throws {
        let installation = try Installation.shared.get()
        let program = try installation.compile("reads", flags: "-O2")
        func instructions(_ words: [String]) throws -> Int {
            let result = try Child.run("/usr/bin/env", words)
            return try #require(Int(result.text.trimmingCharacters(in: .newlines)), "\(result.errors)")
        }
        let without = try instructions([program, "steps"])
        let with = try instructions(["LD_PRELOAD=\(installation.prefix)/lib/libipn-preload.so", program, "steps"] + words)
        // Its own are there, or else it was not.
        #expect((1...7).contains(with - without), "\(without), \(with) under the preload")
    }
}
