import RadiusCore

/// The order in which a batch's lines are stored: by tenant and session, so that few blocks have the records of one session.
struct RecordOrder {
    struct Place {
        let tenant: Int64
        /// 0 for none.
        let session: Int64
        let subscriber: Int64
        /// Among the batch's lines, which are in the order of their sequence numbers.
        let line: Int

        func precedes(_ other: Place) -> Bool {
            if tenant != other.tenant { return tenant < other.tenant }
            if session != other.session { return session < other.session }
            return line < other.line
        }
    }

    let places: [Place]

    init(_ fold: BatchFold) {
        var places: [Place] = []
        places.reserveCapacity(fold.lines.count)
        for number in fold.lines.indices {
            let row = fold.lines[number].row.map { fold.rows[$0] }
            places.append(
                Place(tenant: fold.lines[number].entry.tenant, session: row?.id ?? 0, subscriber: row?.subscriber ?? 0, line: number))
        }
        places.sort { $0.precedes($1) }
        self.places = places
    }
}
