import ArgumentParser
import Foundation
import Service

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List cameras and sound devices, with what they can.",
        discussion: """
            Sound devices are opened for a moment, those that nobody uses; plugins (default, pulse) have no entry, and can be \
            published by their names all the same.

            EXAMPLES
              ipn devices
              ipn devices --json | jq -r '.cameras[].device'
            """)

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let report = DeviceReport { say($0) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            let text = report.text
            print(text.isEmpty ? "no cameras, and no sound" : text)
        }
    }
}
