import Glibc
import IPNSystem
import Media

/// A supervised run of this same program, which reports its progress through a pipe.
struct ChildProcess: ~Copyable {
    /// The command's name: `record`.
    let name: String
    /// What it works on: `copy.mkv`.
    let label: String
    let processID: pid_t
    private let pipe: Descriptor
    private var unread: [UInt8] = []
    private(set) var progress = Progress()
    private var earlier: (progress: Progress, time: Int64)
    /// As waitpid(2) gave it, once it has ended.
    private(set) var status: CInt?

    /// Readable when it reports, and when it ends.
    var descriptor: CInt { status == nil ? pipe.raw : -1 }
    var isRunning: Bool { status == nil }
    var hasFailed: Bool { status.map { $0 != 0 } ?? false }

    /// Starts it. Standard input and output are ours; descriptor 3 is the pipe.
    init(_ name: String, label: String, arguments: [String]) throws(MediaError) {
        var ends: [CInt] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Self.failure(errno) }
        let ours = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, theirs.raw, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = arguments + ["--progress-descriptor", "3"]
        let secrets = try HiddenWords(words)
        if let descriptor = secrets?.descriptor { posix_spawn_file_actions_adddup2(&actions, descriptor, HiddenWords.descriptor) }
        var pointers = (["ipn"] + (secrets?.shown ?? words)).map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var processID: pid_t = 0
        let error = posix_spawn(&processID, "/proc/self/exe", &actions, &attributes, pointers, environ)
        guard error == 0 else { throw Self.failure(error) }
        pipe = ours
        self.name = name
        self.label = label
        self.processID = processID
        earlier = (progress, monotonicNanoseconds())
    }

    /// Takes in what it reported; notices its end.
    mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(pipe.raw, &buffer, buffer.count)
        if count < 0 { return }
        if count == 0 { return reap() }
        unread += buffer[..<count]
        while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: unread[..<end], as: UTF8.self)
            if let record = Progress(record: line[...]) { progress = record }
            unread.removeSubrange(...end)
        }
    }

    private mutating func reap() {
        var status: CInt = 0
        while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
        self.status = status
    }

    func stop() {
        if isRunning { kill(processID, SIGTERM) }
    }

    /// `record  250 frames  25.0/s  1.9 Mbit/s  0 lost  0.4 ms delay  copy.mkv`, the rate since the last call.
    /// - Parameter columns: that it may take; nil for as many as it is long.
    mutating func line(columns: Int? = nil) -> String {
        let now = monotonicNanoseconds()
        let seconds = max(Double(now - earlier.time) / 1e9, 0.001)
        defer { earlier = (progress, now) }
        return row(progress.line(since: earlier.progress, seconds: seconds), columns: columns)
    }

    /// The same over its whole life.
    func summary(seconds: Double) -> String {
        row(progress.line(since: Progress(), seconds: seconds)) + (hasFailed ? "  failed" : "")
    }

    private func row(_ text: String, columns: Int? = nil) -> String {
        let figures = "\(name)\(String(repeating: " ", count: max(8 - name.count, 1)))\(text)  "
        guard let columns, figures.count + label.count > columns else { return figures + label }
        // Names tell each other apart by their ends.
        let room = columns - figures.count
        return room > 1 ? "\(figures)…\(label.suffix(room - 1))" : String(figures.prefix(columns))
    }

    private static func failure(_ error: CInt) -> MediaError {
        MediaError(.cannotOpen, object: "ipn", what: "cannot start another process", cause: String(cString: strerror(error)))
    }
}
