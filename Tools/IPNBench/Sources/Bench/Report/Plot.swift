import Glibc

/// The comparison as a drawing in SVG: one-way times, then messages a second for each size, all on logarithmic scales.
struct Plot {
    let results: Results

    private static let colours = [
        "#c1121f", "#8a8a8a", "#1f77b4", "#17becf", "#2ca02c", "#bcbd22", "#9467bd", "#ff7f0e", "#e377c2", "#8c564b",
    ]
    private let width = 980.0
    private let panel = (width: 230.0, height: 190.0, gap: 78.0)

    func text() -> String {
        let body = latencyPanel(at: (70, 60)) + ratePanels() + legend()
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) 660" font-family="sans-serif" font-size="11">
            <rect width="100%" height="100%" fill="white"/>
            <text x="20" y="26" font-size="15" font-weight="bold">One writer, readers in processes of their own: IPN and its peers</text>
            \(body)
            <text x="20" y="645" fill="#666">\(escaped(results.machine)) Every reader reads every byte; nothing is lost.</text>
            </svg>

            """
    }

    private func colour(_ index: Int) -> String { Self.colours[index % Self.colours.count] }

    private func stroke(_ index: Int, _ contender: Contender) -> String {
        let width = contender.carrier == .ipn ? 3 : 1.4
        return "stroke=\"\(colour(index))\" stroke-width=\"\(width)\"\(contender.isFloor ? " stroke-dasharray=\"4 3\"" : "")"
    }

    // MARK: One-way times

    /// A line for each from p50 to p99, the longer the worse.
    private func latencyPanel(at origin: (x: Double, y: Double)) -> String {
        let kind = Results.latencyCases[0]
        let delays = results.contenders.enumerated().compactMap { index, contender in
            results.latency[kind]?[contender.name]?.value.map { (index, contender, $0) }
        }
        let scale = Scale(
            delays.flatMap { [$0.2.p50 / 1000, $0.2.p99 / 1000] }, from: origin.x + 60, to: origin.x + panel.width + 20)
        var text = title("To a sleeping reader, \(bytes(kind.size)): µs, p50 to p99", origin)
        let bottom = origin.y + panel.height
        for tick in scale.ticks {
            text += line(scale[tick], origin.y, scale[tick], bottom, "#ddd") + label(scale[tick], bottom + 14, short(tick), "middle")
        }
        for (row, (index, contender, delay)) in delays.enumerated() {
            let y = origin.y + (Double(row) + 0.5) * panel.height / Double(max(delays.count, 1))
            let (start, end) = (scale[delay.p50 / 1000], scale[delay.p99 / 1000])
            text += label(origin.x + 54, y + 4, contender.name, "end", bold: contender.carrier == .ipn)
            text += line(start, y, end, y, colour(index), width: 2)
            text += "<circle cx=\"\(start.short)\" cy=\"\(y.short)\" r=\"4\" fill=\"\(colour(index))\"/>\n"
        }
        return text
    }

    // MARK: Messages a second

    private func ratePanels() -> String {
        Results.sizes.enumerated().map { index, size in
            let place = index + 1
            let x = 70 + Double(place % 3) * (panel.width + panel.gap)
            return ratePanel(size, at: (x, 60 + Double(place / 3) * (panel.height + 70)))
        }.joined()
    }

    private func ratePanel(_ size: Int, at origin: (x: Double, y: Double)) -> String {
        func rates(_ contender: Contender) -> [(readers: Int, rate: Double)] {
            Results.readers.compactMap { readers in
                results.rates[RateCase(size: size, readers: readers)]?[contender.name]?.value.map { (readers, $0.messages) }
            }
        }
        let scale = Scale(results.contenders.flatMap { rates($0).map(\.rate) }, from: origin.y + panel.height, to: origin.y)
        let columns = Double(Results.readers.count - 1)
        func x(_ readers: Int) -> Double { origin.x + log2(Double(readers)) / columns * panel.width }
        var text = title("\(bytes(size)): messages a second, by readers", origin)
        for tick in scale.ticks {
            text += line(origin.x, scale[tick], origin.x + panel.width, scale[tick], "#ddd")
            text += label(origin.x - 6, scale[tick] + 4, rate(tick), "end")
        }
        for readers in Results.readers { text += label(x(readers), origin.y + panel.height + 14, "\(readers)", "middle") }
        for (index, contender) in results.contenders.enumerated().reversed() {
            let points = rates(contender).map { "\(x($0.readers).short),\(scale[$0.rate].short)" }.joined(separator: " ")
            text += "<polyline points=\"\(points)\" fill=\"none\" \(stroke(index, contender))/>\n"
        }
        return text
    }

    private func legend() -> String {
        results.contenders.enumerated().map { index, contender in
            let (x, y) = (20 + Double(index % 5) * 190, 590 + Double(index / 5) * 20)
            return "<path d=\"M\(x) \(y - 4)h24\" \(stroke(index, contender))/>\n"
                + label(x + 30, y, "\(contender.name) \(contender.release)", "start", bold: contender.carrier == .ipn)
        }.joined()
    }

    // MARK: Elements

    private func title(_ text: String, _ origin: (x: Double, y: Double)) -> String {
        label(origin.x, origin.y - 10, text, "start", bold: true)
    }

    private func label(_ x: Double, _ y: Double, _ text: String, _ anchor: String, bold: Bool = false) -> String {
        "<text x=\"\(x.short)\" y=\"\(y.short)\" text-anchor=\"\(anchor)\"\(bold ? " font-weight=\"bold\"" : "")>\(escaped(text))</text>\n"
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, width: Double = 1) -> String {
        "<line x1=\"\(x1.short)\" y1=\"\(y1.short)\" x2=\"\(x2.short)\" y2=\"\(y2.short)\" stroke=\"\(colour)\" stroke-width=\"\(width)\"/>\n"
    }

    private func short(_ tick: Double) -> String { tick < 1 ? tick.short : rate(tick) }

    private func escaped(_ text: String) -> String {
        text.map { ["&": "&amp;", "<": "&lt;", ">": "&gt;"][$0] ?? String($0) }.joined()
    }
}

/// A logarithmic scale with ticks at powers of ten.
struct Scale {
    private let low, high, start, end: Double

    init(_ values: [Double], from start: Double, to end: Double) {
        let positive = values.filter { $0 > 0 }
        low = log10(positive.min() ?? 1) - 0.05
        high = log10(positive.max() ?? 10) + 0.05
        self.start = start
        self.end = end
    }

    subscript(value: Double) -> Double { start + (log10(value) - low) / max(high - low, 0.1) * (end - start) }

    var ticks: [Double] { stride(from: low.rounded(.up), through: high.rounded(.down), by: 1).map { pow(10, $0) } }
}
