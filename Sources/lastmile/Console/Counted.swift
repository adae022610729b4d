extension BinaryInteger {
    /// `1 line`, `2 lines`; `plural` where it is more than an s behind `singular`.
    func counted(_ singular: String, _ plural: String? = nil) -> String {
        "\(self) \(self == 1 ? singular : plural ?? singular + "s")"
    }
}
