package import Media
import V4L2

/// Sets a camera's controls in order; without any, lists what it has.
/// - Throws: `MediaError`.
package func controlCamera(_ device: String, _ values: [(name: String, value: String)]) throws(MediaError) -> [String] {
    if values.isEmpty { return try CameraControl.all(of: device).map(\.description) }
    try CameraControl.set(values, on: device)
    return []
}
