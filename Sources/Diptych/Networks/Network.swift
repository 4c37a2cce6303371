/// `count` rounded up to whole panels of 16 floats: the width of every row of activations.
@inline(__always) func padded(_ count: Int) -> Int { (count + 15) & ~15 }

/// One tensor as PyTorch names it, and where its elements lie among the parameters: element (o, c, y, x) at
/// offset + panel(o) + the strides' sum. Panels of 16 outputs hold dense weights; convolutions have their own order.
struct Tensor {
    let name: String
    /// As PyTorch shows it: [outputs], [outputs, inputs] or [outputs, inputs, 3, 3].
    let shape: [Int]
    let offset: Int
    /// Of the four loops that run through the elements in PyTorch's order: outputs, channels, rows, columns.
    let extent: (o: Int, c: Int, y: Int, x: Int)
    let stride: (panel: Int, o: Int, c: Int, y: Int, x: Int)
    /// The initial weights' bound is 1/sqrt(fanIn).
    let fanIn: Int

    /// Elements of one output.
    var inputs: Int { extent.c * extent.y * extent.x }
    var count: Int { extent.o * inputs }

    /// Calls body(index in PyTorch's order, index among the parameters) for every element.
    @inline(__always)
    func forEach(_ body: (Int, Int) -> Void) {
        var index = 0
        for o in 0 ..< extent.o {
            let output = offset + o / 16 * stride.panel + o % 16 * stride.o
            for c in 0 ..< extent.c {
                for y in 0 ..< extent.y {
                    for x in 0 ..< extent.x {
                        body(index, output + c * stride.c + y * stride.y + x * stride.x)
                        index += 1
                    }
                }
            }
        }
    }

    /// The same in another order: sixteen outputs, which lie side by side in a panel, take turns. For large tensors that is easier on the
    /// caches.
    @inline(__always)
    func forEachByPanel(_ body: (Int, Int) -> Void) {
        let inputs = inputs
        for first in Swift.stride(from: 0, to: extent.o, by: 16) {
            let panel = offset + first / 16 * stride.panel
            var column = 0
            for c in 0 ..< extent.c {
                for y in 0 ..< extent.y {
                    for x in 0 ..< extent.x {
                        let place = panel + c * stride.c + y * stride.y + x * stride.x
                        for o in 0 ..< min(16, extent.o - first) { body((first + o) * inputs + column, place + o * stride.o) }
                        column += 1
                    }
                }
            }
        }
    }
}

/// A dense layer's place: widths as padded, parameters' offsets for the first and the second image.
struct DenseLayer {
    let layer: Layer
    /// Rows of a panel, and width of an input row.
    let inputs: Int
    /// Width of an output row, a multiple of 16.
    let outputs: Int
    let weights: (Int, Int)
    let bias: (Int, Int)

    var panels: Int { outputs / 16 }
}

/// The two convolutions' place.
struct ConvolutionLayers {
    let shape: (height: Int, width: Int, channels: Int)
    let weights1: Int
    let bias1: Int
    let weights2: (Int, Int)
    let bias2: (Int, Int)
    let separate: Bool

    /// Sets of cl2's weights: one for both images, or one for each.
    var sides: Int { separate ? 2 : 1 }
    var windows: Int { (shape.height / 2) * (shape.width / 2) }
    /// Of up to 2x2 windows; see kernels.h.
    var tiles: Int { (shape.height / 2 + 1) / 2 * ((shape.width / 2 + 1) / 2) }
    /// Floats of a bordered plane with one channel.
    var plane: Int { (shape.height + 2) * (shape.width + 2) }
    /// Floats of an image's features in a block of its own.
    var featureBlock: Int { padded(windows * shape.channels) }
    /// Parameters of both convolutions in one run of memory.
    var parameters: Int { (10 + 9 * shape.channels + 1) * shape.channels + (separate ? (9 * shape.channels + 1) * shape.channels : 0) }
}

/// A description with every parameter placed: the convolutions first, then the dense layers of branch and head.
/// Immutable.
final class Network: @unchecked Sendable {
    let description: NetworkDescription
    let convolutions: ConvolutionLayers?
    /// The branch's dense layers, input to logits.
    let dense: [DenseLayer]
    /// fc4 and fc5.
    let head: [DenseLayer]
    let tensors: [Tensor]
    /// Floats that hold all parameters with their padding, a multiple of 16.
    let parameterFloats: Int

    init(_ description: NetworkDescription) {
        self.description = description
        let branch = description.branch
        var placed = Placement()
        var dense: [DenseLayer] = []
        if description.architecture == .mlp {
            convolutions = nil
            for layer in branch { dense.append(placed.dense(layer, blocks: 1, channels: layer.inputs, pixels: (1, 1))) }
        } else {
            let convolutions = placed.convolutions(branch[0], branch[1], description)
            self.convolutions = convolutions
            for (index, layer) in branch.dropFirst(2).enumerated() {
                // fc1 reads features that lie [row][column][channel] where PyTorch counts [channel][row][column].
                dense.append(index == 0
                    ? placed.dense(layer, blocks: 1, channels: description.channels,
                                   pixels: (description.height / 2, description.width / 2), pitch: convolutions.shape.channels)
                    : placed.dense(layer, blocks: 1, channels: layer.inputs, pixels: (1, 1)))
            }
        }
        self.dense = dense
        let fc4 = placed.dense(description.head[0], blocks: 2, channels: description.classes, pixels: (1, 1))
        let fc5 = placed.dense(description.head[1], blocks: 1, channels: description.headWidth, pixels: (1, 1))
        head = [fc4, fc5]
        tensors = placed.tensors
        parameterFloats = placed.end
    }

    func tensor(named name: String) -> Tensor? {
        tensors.first { sameBytes($0.name, name) }
    }
}

/// Hands out places for tensors, each beginning on a multiple of 16 floats.
private struct Placement {
    var end = 0
    var tensors: [Tensor] = []

    mutating func take(_ count: Int) -> Int {
        defer { end += padded(count) }
        return end
    }

    mutating func bias(_ name: String, _ outputs: Int, _ offset: Int, fanIn: Int) {
        tensors.append(Tensor(name: name, shape: [outputs], offset: offset, extent: (outputs, 1, 1, 1),
                              stride: (16, 1, 0, 0, 0), fanIn: fanIn))
    }

    mutating func convolutions(_ first: Layer, _ second: Layer, _ description: NetworkDescription) -> ConvolutionLayers {
        let count = description.channels, channels = (count + 7) & ~7
        let weights1 = take(9 * channels), bias1 = take(channels)
        tensors.append(Tensor(name: "\(first.name).weight", shape: [count, 1, 3, 3], offset: weights1,
                              extent: (count, 1, 3, 3), stride: (16, 1, 0, 3 * channels, channels), fanIn: 9))
        bias("\(first.name).bias", count, bias1, fanIn: 9)
        var weights2: [Int] = [], bias2: [Int] = []
        for suffix in second.separate ? ["", "b"] : [""] {
            let weights = take(9 * channels * channels), offset = take(channels)
            tensors.append(Tensor(name: "\(second.name)\(suffix).weight", shape: [count, count, 3, 3], offset: weights,
                                  extent: (count, count, 3, 3),
                                  stride: (16 * 9 * channels, 9 * channels, 1, 3 * channels, channels), fanIn: 9 * count))
            bias("\(second.name)\(suffix).bias", count, offset, fanIn: 9 * count)
            weights2.append(weights)
            bias2.append(offset)
        }
        return ConvolutionLayers(shape: (description.height, description.width, channels), weights1: weights1, bias1: bias1,
                                 weights2: (weights2[0], weights2[weights2.count - 1]),
                                 bias2: (bias2[0], bias2[bias2.count - 1]), separate: second.separate)
    }

    /// The inputs are `blocks` rows of padded(pitch * pixels), each of `channels` values every `pitch` for every pixel.
    mutating func dense(_ layer: Layer, blocks: Int, channels: Int, pixels: (Int, Int), pitch: Int? = nil) -> DenseLayer {
        let pitch = pitch ?? channels
        let block = padded(pitch * pixels.0 * pixels.1)
        let inputs = blocks * block, outputs = padded(layer.outputs)
        var weights: [Int] = [], biases: [Int] = []
        for suffix in layer.separate ? ["", "b"] : [""] {
            let offset = take(inputs * outputs), biasOffset = take(outputs)
            // Of two blocks the block is the loop over channels, and what is in it the loop over columns.
            tensors.append(Tensor(
                name: "\(layer.name)\(suffix).weight", shape: [layer.outputs, layer.inputs], offset: offset,
                extent: blocks > 1 ? (layer.outputs, blocks, 1, channels) : (layer.outputs, channels, pixels.0, pixels.1),
                stride: blocks > 1 ? (16 * inputs, 1, 16 * block, 0, 16)
                    : (16 * inputs, 1, 16, 16 * pitch * pixels.1, 16 * pitch),
                fanIn: layer.inputs))
            bias("\(layer.name)\(suffix).bias", layer.outputs, biasOffset, fanIn: layer.inputs)
            weights.append(offset)
            biases.append(biasOffset)
        }
        return DenseLayer(layer: layer, inputs: inputs, outputs: outputs, weights: (weights[0], weights[weights.count - 1]),
                          bias: (biases[0], biases[biases.count - 1]))
    }
}
