import ArgumentParser
import Glibc

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program that was written for AF_IPN.",
        discussion: """
            Its calls of socket(AF_IPN, SOCK_RAW, ...) and what follows go to the bus; everything else goes to the kernel, as ever.
            AF_IPN may be 34, 33 or 13. It needs a program that is dynamically linked, and not one that changes its user (setuid).

            EXAMPLES
              ipn run -- ./chat /tmp/net
              ipn run -- sh -c './sender & ./receiver'

            ENVIRONMENT
              IPN_PRELOAD  the library to preload, where it is not beside ipn or in ../lib
              LD_PRELOAD   is kept, after ours

            EXIT STATUS
              the program's own; before it runs, as of every command, and
              126  it cannot be run, or not on the bus
              127  it is not there
            """)

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var words: [String] = []

    func validate() throws {
        // Of words before the program the parser speaks only after this.
        let own = CommandLine.arguments.dropFirst(2).prefix { $0 != "--" }
        if let option = own.first(where: { $0.hasPrefix("-") }) { throw ValidationError("Unknown option '\(option)'") }
        guard !words.isEmpty else { throw ValidationError("name a program: ipn run -- PROGRAM") }
    }

    func run() throws {
        let library = try Self.library()
        if let path = Self.find(words[0]), let reason = ProgramFile.refusal(of: path) {
            throw Failure("\(path): \(reason): it cannot be run on the bus this way: link it with libipn instead", status: .notExecutable)
        }
        let others = Self.variable("LD_PRELOAD").map { ":\($0)" } ?? ""
        setenv("LD_PRELOAD", library + others, 1)
        // The last that we were given, in whatever code they are.
        let arguments = CommandLine.unsafeArgv + (Int(CommandLine.argc) - words.count)
        execvp(arguments[0]!, arguments)
        let code = errno
        throw Failure("\(words[0]): \(String(cString: strerror(code)))", status: code == ENOENT ? .notFound : .notExecutable)
    }

    /// The preload library's path.
    private static func library() throws -> String {
        let folder = ownFolder()
        let named = variable("IPN_PRELOAD")
        let candidates = named.map { [$0] } ?? ["\(folder)/libipn-preload.so", "\(folder)/../lib/libipn-preload.so"]
        guard let found = candidates.first(where: { access($0, R_OK) == 0 }), let whole = realpath(found, nil) else {
            throw Failure(
                named.map { "\($0): the preload library is not there: see IPN_PRELOAD" }
                    ?? "libipn-preload.so is neither in \(folder) nor in ../lib: install it, or name it in IPN_PRELOAD")
        }
        defer { free(whole) }
        let path = String(cString: whole)
        // The loader takes both as the end of a name.
        guard !path.contains(":"), !path.contains(" ") else {
            throw Failure("\(path): the loader cannot preload from a path with a colon or a space: move it")
        }
        return path
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func ownFolder() -> String {
        guard let path = realpath("/proc/self/exe", nil) else { return "." }
        defer { free(path) }
        let own = String(cString: path)
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    }

    /// Where execvp would find a program.
    private static func find(_ name: String) -> String? {
        if name.contains("/") { return name }
        return (variable("PATH") ?? "/bin:/usr/bin").split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// What a program's file says about whether a library can be preloaded into it.
private enum ProgramFile {
    /// Why not; nil where nothing speaks against it, or where it is a script.
    static func refusal(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let changesUser = status.st_mode & S_ISUID != 0 && status.st_uid != getuid()
        let changesGroup = status.st_mode & S_ISGID != 0 && status.st_gid != getgid()
        if changesUser || changesGroup { return "it runs as another user, and the loader preloads nothing into such a program" }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var header = Elf64_Ehdr()
        guard read(descriptor, &header, MemoryLayout<Elf64_Ehdr>.size) == MemoryLayout<Elf64_Ehdr>.size,
            header.e_ident.0 == 0x7f, header.e_ident.1 == UInt8(ascii: "E"), header.e_ident.2 == UInt8(ascii: "L"),
            header.e_ident.3 == UInt8(ascii: "F")
        else { return nil }
        guard header.e_ident.4 == UInt8(ELFCLASS64) else { return "it is a 32-bit program" }
        for index in 0..<Int(header.e_phnum) {
            var part = Elf64_Phdr()
            let place = off_t(header.e_phoff) + off_t(index) * off_t(header.e_phentsize)
            guard pread(descriptor, &part, MemoryLayout<Elf64_Phdr>.size, place) == MemoryLayout<Elf64_Phdr>.size else { return nil }
            if part.p_type == UInt32(PT_INTERP) { return nil }
        }
        return "it is statically linked"
    }
}
