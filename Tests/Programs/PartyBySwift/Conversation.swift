import CIPN
import CLinux
import Glibc
import IPN
import SystemPackage

/// What has no counterpart in Swift.
struct NotApplicable: Error {}

final class Conversation: @unchecked Sendable {
    // Sendable: the thread that `thread` starts works on its own socket, and is joined.
    private var slots: [Int: Slot] = [:]
    private var thread = pthread_t()
    private var threadsAnswer = ""

    func perform(_ line: String) -> String {
        if line == "join" {
            pthread_join(thread, nil)
            return threadsAnswer
        }
        do {
            let result = try answer(line)
            return result.isEmpty ? "ok" : "ok \(result)"
        } catch let error as IPNError {
            return String(cString: linux_errno_name(error.errno.rawValue))
        } catch let error as Errno {
            return String(cString: linux_errno_name(error.rawValue))
        } catch {
            return "n/a"
        }
    }

    private func answer(_ line: String) throws -> String {
        var words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true).map(String.init)
        let verb = words[0]
        let rest = words.count > 1 ? words[1] : ""
        words = rest.split(separator: " ").map(String.init)
        switch verb {
        case "umask": umask(mode_t(words[0], radix: 8)!)
        case "become": try become(words.map { UInt32($0)! })
        case "interrupt": interrupt(Int(words[0])!)
        case "thread": start(rest)
        case "many":
            for number in Int(words[0])!..<Int(words[0])! + Int(words[1])! {
                slots[number] = Slot()
                try slots[number]!.connect(words[2])
            }
            return words[1]
        case "socket": slots[Int(words[0])!] = Slot()
        default:
            guard let number = Int(words[0]), let slot = slots[number] else { throw Errno.badFileDescriptor }
            // A text may have blanks, and may be empty.
            let text = verb == "send" || verb == "set" ? tail(rest, after: verb == "send" ? 2 : 3) : ""
            return try slot.perform(verb, Array(words.dropFirst()), text)
        }
        return ""
    }

    private func tail(_ text: String, after count: Int) -> String {
        let parts = text.split(separator: " ", maxSplits: count, omittingEmptySubsequences: false)
        return parts.count > count ? String(parts[count]) : ""
    }

    private func become(_ numbers: [UInt32]) throws {
        let groups = Array(numbers.dropFirst(2))
        guard setgroups(groups.count, groups) == 0, setgid(numbers[1]) == 0, setuid(numbers[0]) == 0 else { throw Errno.notPermitted }
    }

    private func interrupt(_ milliseconds: Int) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGALRM, &action, nil)
        let time = timeval(tv_sec: 0, tv_usec: milliseconds * 1000)
        var timer = itimerval(it_interval: time, it_value: time)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }

    private func start(_ line: String) {
        let work = Unmanaged.passRetained(Work(party: self, line: line))
        pthread_create(
            &thread, nil,
            { context in
                let work = Unmanaged<Work>.fromOpaque(context!).takeRetainedValue()
                work.party.threadsAnswer = work.party.perform(work.line)
                return nil
            }, work.toOpaque())
    }

    private final class Work {
        let party: Conversation
        let line: String
        init(party: Conversation, line: String) { (self.party, self.line) = (party, line) }
    }
}
