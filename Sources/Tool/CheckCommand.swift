import ArgumentParser
import Glibc
import Media
import Service

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look whether recordings are whole, and repair them.",
        discussion: """
            Reads every packet: time stamps have to rise, pictures have to begin with a key frame, nothing may be cut off. \
            --repair ends a file that its recorder could not end (an MP4 file in its place, without copying it), and copies \
            what can be read of any other into a new file, which then takes the old one's place.

            EXAMPLES
              ipn check copy.mp4
              ipn check cam-*.mp4 --repair
              ipn check old.mkv --repair --output new.mkv

            EXIT STATUS
              0  whole, or repaired
              1  cannot be read, or cannot be repaired
              5  not whole: --repair may help
            """)

    @Argument(help: "Recordings.", completion: .file())
    var files: [String]
    @Flag(help: "Repair what is not whole.")
    var repair = false
    @Option(help: "Put what was repaired there, and leave the file as it is.", completion: .file())
    var output: String?

    func validate() throws {
        if output != nil && (!repair || files.count > 1) { throw ValidationError("--output goes with --repair and one file") }
    }

    func run() throws {
        let stop = try StopSignal()
        var status: Int32 = 0
        for file in files where !stop.isRaised {
            do throws(MediaError) {
                try check(file, stop.flag, &status)
            } catch {
                say(error.description)
                status = ExitStatus.failed.rawValue
            }
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func check(_ file: String, _ stop: StopFlag, _ status: inout Int32) throws(MediaError) {
        let found: RecordingCheck
        do throws(MediaError) {
            found = try RecordingCheck(file, stop: stop)
        } catch {
            // One that cannot be opened may be one that was never ended.
            guard repair, error.code != .notFound, error.code != .permissionDenied else { throw error }
            try mend(file, stop)
            return
        }
        for line in found.lines { print(line) }
        guard !found.isWhole else { return }
        guard repair else {
            if status == 0 { status = ExitStatus.notWhole.rawValue }
            return
        }
        try mend(file, stop)
    }

    private func mend(_ file: String, _ stop: StopFlag) throws(MediaError) {
        let lost = try RecordingCheck.repair(file, to: output, stop: stop)
        let place = output.map { ", as \($0)" } ?? ""
        print("\(file): repaired\(place)" + (lost > 0 ? "; \(lost) packets could not be kept" : ""))
    }
}
