import CDiptychPlatform

// A wide layer's step with its live inputs alone, and the updates that the others miss.

extension Batch {
    /// Adam's alone: SGD has no kernel to make up for steps. An average must see every step of the weights, a test every gradient.
    var mayPutOff: Bool { optimizer.kind == .adam && average == nil && gradientCapture == nil }

    func gatherLive(_ index: Int, _ item: Int) {
        live[index]?.gather(LiveInputs.share(2 * count, item), of: forward.denseInput(index))
        catchUp(index, item)
    }

    func catchUp(_ index: Int, _ item: Int) {
        guard let live = live[index] else { return }
        live.catchUp(LiveInputs.share(live.layer.panels, item), optimizer, model.parameters.pointer)
    }

    func liveBackward(_ index: Int, _ item: Int, _ thread: Int) {
        guard let live = live[index] else { return }
        // Sixes, as the kernel takes them.
        let panels = max(1, padded(live.count) / 16), sixes = LiveInputs.share((panels + 5) / 6, item)
        guard !sixes.isEmpty else { return }
        let own = 6 * sixes.lowerBound ..< min(panels, 6 * sixes.upperBound)
        backward.dense(index, live: live, rows: 2 * count, panels: own, scratch: scratch(thread))
        live.scatter(16 * own.lowerBound ..< 16 * own.upperBound, rows: 2 * count, into: gradients.pointer + layout.outputs[index - 1])
    }

    func updateLive(_ live: LiveInputs, panels: Range<Int>, gradient: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
        let layer = live.layer
        for first in stride(from: 0, to: live.count, by: BackwardPass.weightInputs) {
            let columns = first ..< min(first + BackwardPass.weightInputs, padded(live.count))
            backward.weights(layer, image: 0, rows: 2 * count, panels: panels, inputs: columns, input: live.x, width: live.width,
                             gradient: gradient, listed: first > 0, scratch: scratch)
            let lines = min(columns.count, live.count - first)
            for panel in panels {
                let weights = layer.weights.0 + 16 * panel * layer.inputs
                let gradient = scratch + 16 * columns.count * (panel - panels.lowerBound)
                if live.count == layer.inputs {
                    apply(offset: weights + 16 * first, count: 16 * lines, gradient)
                } else {
                    optimizer.apply(offset: weights, places: live.places + first, count: lines, gradient: gradient,
                                    parameters: model.parameters.pointer)
                }
            }
        }
    }

    /// Makes up for all updates that were put off: to be called before anybody else looks at the weights.
    func settle(on pool: WorkerPool) {
        for live in live { live?.listLate(steps: optimizer.done) }
        do throws(DiptychError) {
            try run(settling, on: pool)
        } catch {
            // The system has no threads any more: this one can do it alone.
            for stage in settling {
                for item in 0 ..< LiveInputs.items { run(stage.work[0], item, 0) }
            }
        }
        optimizer.forget()
    }
}
