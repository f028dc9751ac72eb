#if IPN_STEPS
    import Glibc

    /// Where this process is to die or to stop: the file that `IPN_STEP_FILE` names, as it is at the process's first step. It
    /// holds a line `SIGNAL COUNT NAME`; the process signals itself at the COUNTth pass of that step, and notes it in `FILE.log`.
    ///
    /// What has no plan at its first step never gets one.
    @usableFromInline
    final class StepPlan: @unchecked Sendable {
        // Sendable: the count of passes is touched with the mutex held.
        private static let present = StepPlan()

        private let signal: CInt
        private let name: [CChar]
        private let log: String
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private var passesLeft: Int

        @usableFromInline
        static func pass(_ name: StaticString) { present?.pass(name) }

        private init?() {
            guard let file = getenv("IPN_STEP_FILE"), let stream = fopen(file, "r") else { return nil }
            defer { fclose(stream) }
            var line = [CChar](repeating: 0, count: 256)
            guard fgets(&line, CInt(line.count), stream) != nil else { return nil }
            let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let words = text.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let signal = CInt(words[0]), let count = Int(words[1]) else { return nil }
            self.signal = signal
            passesLeft = count
            name = Array(String(words[2]).utf8CString)
            log = String(cString: file) + ".log"
            pthread_mutex_init(mutex, nil)
        }

        private func pass(_ step: StaticString) {
            guard strcmp(step.utf8Start, name) == 0 else { return }
            pthread_mutex_lock(mutex)
            passesLeft -= 1
            let isDue = passesLeft == 0
            pthread_mutex_unlock(mutex)
            guard isDue else { return }
            if let stream = fopen(log, "a") {
                fputs("\(getpid()) \(step)\n", stream)
                fclose(stream)
            }
            // This thread, so that it is not one step further when another has taken the signal.
            raise(signal)
        }
    }
#endif
