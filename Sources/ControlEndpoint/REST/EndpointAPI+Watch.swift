internal import KubernetesAPI
internal import NIOCore

/// Watching over HTTP: one JSON document per change, until the client leaves, the time is up or the endpoint stops.
extension EndpointAPI {
    /// Initial objects are sent in parts of about this size.
    private static var partSize: Int { 256 * 1024 }

    func watch(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) throws(APIStatusError) -> APIResponse {
        let form = try representation(request)
        let filter = try filter(request, resource)
        let wanted = try WatchRequest(request.query, current: operations.store.resourceVersion)
        let encoder = WatchEncoder(
            filter: filter, form: form, resource: resource, include: try includeObject(request),
            clock: { [operations] in operations.now })
        let name = info.name ?? filter.name
        let namespace = info.namespace
        return APIResponse(
            status: 200, contentType: form.contentType,
            body: .stream { [self] client in
                guard let subscription = subscribe(wanted, resource, namespace: namespace, name: name) else {
                    var buffer = ByteBuffer()
                    let error = APIStatusError.expired(
                        "too old resource version: the changes since then are not kept any more")
                    WatchEncoder.failure(error, into: &buffer)
                    try await client.write(buffer)
                    return
                }
                defer { operations.store.endWatch(subscription.watcher, of: resource.storageID) }
                client.onGone { [watcher = subscription.watcher] in watcher.finish() }
                subscription.watcher.onOverflow(client.abort)
                try await serve(subscription, wanted, encoder, to: client)
            })
    }

    private func subscribe(
        _ wanted: WatchRequest, _ resource: RegisteredResource, namespace: String?, name: String?
    ) -> ResourceStore.Subscription? {
        let since: Int64?
        switch wanted.start {
        case .existing: since = nil
        case .now: since = operations.store.resourceVersion
        case .after(let version):
            // A version from the future is one of another store, before a restore: the client must start over.
            if version > operations.store.resourceVersion { return nil }
            since = version
        }
        return operations.store.watch(resource.storageID, namespace: namespace, name: name, since: since)
    }

    private func serve(
        _ subscription: ResourceStore.Subscription, _ wanted: WatchRequest, _ initialEncoder: WatchEncoder,
        to client: StreamClient
    ) async throws {
        let timeout = wanted.timeout ?? watchDefaults.minimumTimeout * Double.random(in: 1...2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let watcher = subscription.watcher
            group.addTask { [self] in
                await keepTime(of: watcher, timeout: timeout, sendsBookmarks: wanted.sendsBookmarks)
            }
            var encoder = initialEncoder
            try await sendStart(subscription, wanted, &encoder, to: client)
            for await message in watcher.messages {
                var buffer = ByteBuffer()
                switch message {
                case .event(let event): encoder.event(event, into: &buffer)
                case .bookmark(let version): encoder.bookmark(version, endsInitialEvents: false, into: &buffer)
                }
                if buffer.readableBytes > 0 { try await client.write(buffer) }
            }
            group.cancelAll()
        }
    }

    private func sendStart(
        _ subscription: ResourceStore.Subscription, _ wanted: WatchRequest, _ encoder: inout WatchEncoder,
        to client: StreamClient
    ) async throws {
        var buffer = ByteBuffer()
        switch subscription.start {
        case .objects(let objects):
            for object in objects {
                encoder.initial(object, into: &buffer)
                if buffer.readableBytes > Self.partSize {
                    try await client.write(buffer)
                    buffer = ByteBuffer()
                }
            }
        case .events(let events):
            for event in events { encoder.event(event, into: &buffer) }
        }
        if wanted.marksInitialEvents {
            encoder.bookmark(subscription.resourceVersion, endsInitialEvents: true, into: &buffer)
        }
        // Even an empty part makes the answer's head go out, so that the client knows the watch has begun.
        try await client.write(buffer)
    }

    /// Ends the watch when its time is up and queues bookmarks until then.
    private func keepTime(of watcher: Watcher, timeout: Duration, sendsBookmarks: Bool) async {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        do {
            while true {
                let next = sendsBookmarks ? min(end, clock.now + watchDefaults.bookmarkInterval) : end
                try await clock.sleep(until: next)
                if clock.now >= end { break }
                operations.store.sendBookmark(to: watcher)
            }
        } catch {
            // Cancelled: the watch has ended on its own.
            return
        }
        watcher.finish()
    }
}
