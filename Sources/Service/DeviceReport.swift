package import ALSA
import Glibc
import IPNSystem
import Media
package import V4L2

/// What sound and pictures can be taken from on this machine.
package struct DeviceReport: Sendable, Codable {
    package let cameras: [CameraReport]
    package let sound: [SoundReport]
    /// What is there, and may not be looked at.
    package let closed: [ClosedDevice]

    package struct ClosedDevice: Sendable, Codable {
        package let device: String
        package let unavailable: String
    }

    /// Looks at everything in /dev. What cannot be opened is told to `note`.
    package init(note: (String) -> Void) {
        var cameras: [CameraReport] = []
        var closed: [ClosedDevice] = []
        for path in Self.videoNodes() {
            do throws(MediaError) {
                let camera = try CameraReport(of: path)
                if camera.isCamera { cameras.append(camera) }
            } catch {
                if error.code == .permissionDenied {
                    closed.append(ClosedDevice(device: path, unavailable: "\(error.what); \(error.remedy)"))
                } else {
                    note(error.description)
                }
            }
        }
        self.cameras = cameras
        sound = SoundReport.all()
        self.closed = closed + SoundReport.closedCards().map { ClosedDevice(device: $0.object, unavailable: "\($0.what); \($0.remedy)") }
    }

    /// In the order of their numbers.
    private static func videoNodes() -> [String] {
        let numbers = names(in: "/dev").filter { $0.hasPrefix("video") }.compactMap { Int($0.dropFirst(5)) }
        return numbers.sorted().map { "/dev/video\($0)" }
    }
}

extension DeviceReport {
    /// A line for each, and what it can below it: sizes with the highest rate of each.
    package var text: String {
        var lines: [String] = []
        for camera in cameras {
            lines.append("v4l2:\(camera.device)  camera  \(camera.name)")
            // Formats that differ in nothing but their name share a line: drivers have dozens.
            var groups: [(formats: [String], sizes: String)] = []
            for mode in camera.modes {
                let sizes = mode.sizes.map { $0.size + ($0.rates.last.map { "@\($0)" } ?? "") }.joined(separator: ", ")
                let name = mode.format + (mode.isCarried ? "" : "*")
                if let index = groups.firstIndex(where: { $0.sizes == sizes }) {
                    groups[index].formats.append(name)
                } else {
                    groups.append(([name], sizes))
                }
            }
            lines += groups.map { "    \($0.formats.joined(separator: ", "))  \($0.sizes)" }
            if camera.modes.contains(where: { !$0.isCarried }) { lines.append("    * cannot be published") }
        }
        for device in sound {
            let what = device.direction == .capture ? "capture" : "playback"
            lines.append("\(device.direction == .capture ? "alsa:" : "")\(device.device)  \(what)  \(device.name)")
            if let unavailable = device.unavailable {
                lines.append("    \(unavailable)")
            } else {
                let channels =
                    device.channels.count == 1 ? "\(device.channels.lowerBound)" : "\(device.channels.lowerBound) to \(device.channels.upperBound)"
                lines.append(
                    "    \(device.formats.joined(separator: ", "));  \(device.rates.map(String.init).joined(separator: ", ")) Hz;  \(channels) channels"
                )
            }
        }
        for device in closed { lines += [device.device, "    \(device.unavailable)"] }
        return lines.joined(separator: "\n")
    }
}
