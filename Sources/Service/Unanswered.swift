import Glibc
import IPNSystem
import Media

extension StopSignal {
    /// alsa-lib's plugins wait for a sound server that does not answer as long as that takes, and hear no signal: whoever asked to stop is
    /// then left waiting for some seconds, and for no more. The thread that waits there holds locks of the plugin's and cannot be called
    /// back, and exit(3) would run what else wants those locks: so the process goes at once, with status 1.
    /// - Parameter object: which does not answer.
    package func leaveUnanswered(_ object: String, seconds: UInt32) {
        try? startThread {
            while !self.isRaised { try? Pause(stop: self).wait(for: -1, until: nil) }
            sleep(seconds)
            say("\(object): does not answer; ended all the same")
            _exit(1)
        }
    }
}
