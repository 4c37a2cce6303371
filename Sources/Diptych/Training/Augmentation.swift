/// How a training image is changed at random, anew in every step: an affine transformation, an elastic deformation and
/// a change of the stroke's width. Each amount is the largest; the value is uniform from minus to plus that. All 0: off.
public struct Augmentation: Equatable, Sendable {
    /// Degrees, about the image's centre.
    public var rotation: Float = 0
    /// Share by which the size grows or shrinks.
    public var scale: Float = 0
    /// Share of the height over the centre by which a row moves sideways: slant.
    public var shear: Float = 0
    /// Pixels, in each direction of its own.
    public var shift: Float = 0
    /// Pixels by which each node of a coarse grid is displaced, in each direction of its own; the field between the nodes
    /// is smooth.
    public var elastic: Float = 0
    /// Share of the way to the 3x3 neighbourhood's maximum (thicker) or minimum (thinner).
    public var stroke: Float = 0

    public init() {}

    public var isOff: Bool { self == Augmentation() }

    func validate() throws(DiptychError) {
        try require(rotation, from: 0, to: 180, "rotation")
        try require(scale, from: 0, to: 0.9, "scale")
        try require(shear, from: 0, to: 10, "shear")
        try require(shift, from: 0, to: 256, "shift")
        try require(elastic, from: 0, to: 256, "elastic")
        try require(stroke, from: 0, to: 1, "stroke")
    }
}
