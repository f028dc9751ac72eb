import ArgumentParser
import Foundation
import Service

struct ControlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control",
        abstract: "List a camera's controls, or set them, also while it runs.",
        discussion: """
            EXAMPLES
              ipn control /dev/video0
              ipn control /dev/video0 brightness=20 auto_exposure=manual
            """)

    @Argument(help: "The camera.", completion: .file())
    var device: String
    @Argument(help: "NAME=VALUE; a value is a number, on or off, or a word of its menu.")
    var values: [LibraryOption] = []

    func run() throws {
        let device = device.hasPrefix("v4l2:") ? String(device.dropFirst(5)) : device
        let lines = try controlCamera(device, values.map { ($0.key, $0.value) })
        if !lines.isEmpty { print(lines.joined(separator: "\n")) }
    }
}
