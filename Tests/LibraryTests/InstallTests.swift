import Foundation
import Testing
import TestSupport

/// What an installation holds.
@Suite struct InstallTests {
    @Test func everythingIsInPlace() throws {
        let prefix = try Installation.shared.get().prefix
        for name in [
            "bin/ipn", "libexec/ipnd", "lib/libipn.so", "lib/libipn.so.0", "lib/libipn-preload.so",
            "lib/pkgconfig/ipn.pc", "include/ipn.h", "include/ipn_policy.h",
            "share/man/man1/ipn.1", "share/man/man1/ipn-tee.1", "share/man/man7/ipn.7",
            "share/bash-completion/completions/ipn", "share/zsh/site-functions/_ipn", "share/fish/vendor_completions.d/ipn.fish",
        ] { #expect(FileManager.default.fileExists(atPath: "\(prefix)/\(name)"), "\(name)") }
    }

    /// A program in C runs where nobody has installed Swift, and is shown nothing of it.
    @Test func theLibraryStandsAlone() throws {
        let library = try Installation.shared.get().prefix + "/lib/libipn.so.0"
        for file in [library, try Installation.shared.get().prefix + "/lib/libipn-preload.so"] {
            let needed = try Installation.run("sh", "-c", "ldd '\(file)'")
            #expect(!needed.contains("swift") && !needed.contains("not found"), "\(needed)")
        }
        let shown = try Installation.run("sh", "-c", "nm -D --defined-only '\(library)' | awk '$2 == \"T\" { print $3 }'")
        let names = shown.split(separator: "\n")
        #expect(names.count == 26 && names.allSatisfy { $0.hasPrefix("ipn_") }, "\(names)")
    }

    /// Also those of programs that are compiled with a strict standard.
    @Test(arguments: ["c99", "c11", "c17"]) func theHeadersCompileAlone(standard: String) throws {
        let include = try Installation.shared.get().prefix + "/include"
        let headers = try FileManager.default.contentsOfDirectory(atPath: include)
        #expect(headers.sorted() == ["ipn.h", "ipn_media.h", "ipn_policy.h"])
        for header in headers {
            try Installation.run(
                "sh", "-c",
                "echo '#include <\(header)>' | clang -x c -std=\(standard) -Wall -Wextra -Wpedantic -Werror -fsyntax-only '-I\(include)' -")
        }
    }

    /// The installed programs find each other, wherever they were put.
    @Test func theInstalledToolWorks() throws {
        let prefix = try Installation.shared.get().prefix
        let scratch = try Scratch()
        let path = scratch("net")
        #expect(try Child.run("\(prefix)/bin/ipn", ["create", path]).status == 0)
        let keeper = try KeeperProcess(of: path)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper.pid)/exe") == "\(prefix)/libexec/ipnd")
        #expect(try Child.run("\(prefix)/bin/ipn", ["remove", path]).status == 0)
    }

    /// A program that was written for the kernel that never was.
    @Test func theInstalledPreloadFindsTheLibrary() throws {
        let installation = try Installation.shared.get()
        let scratch = try Scratch()
        let program = try installation.compile("plain")
        let result = try Child.run("\(installation.prefix)/bin/ipn", ["run", "--", program, scratch("net")])
        #expect(result.status == 0 && result.text == "got hello\n", "\(result.errors)")
        // Also where it is named as it is seen from here: a keeper is started elsewhere.
        let relative = "cd '\(installation.prefix)/lib' && LD_PRELOAD=./libipn-preload.so exec '\(program)' '\(scratch("other"))'"
        #expect(try Child.run("/bin/sh", ["-c", relative]).text == "got hello\n")
        // Without it there is no such family.
        #expect(try Child.run(program, [scratch("net")]).status == 1)
    }

    @Test func withoutAPrefixItSaysHow() throws {
        let result = try Child.run(Installation.root + "/Tools/install", [])
        #expect(result.status == 2 && result.errors.hasPrefix("usage: Tools/install --prefix DIR"))
    }
}
