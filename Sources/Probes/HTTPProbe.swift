/// Makes a request; a status of 200 to 399 is success.
struct HTTPProbe {
    let client: HTTPGetClient

    func run(_ request: HTTPGetRequest, timeout: Duration) async -> ProbeOutcome {
        do throws(HTTPGetClient.Failure) {
            let answer = try await client.get(request, timeout: timeout)
            if let error = answer.bodyError { return .error(message: error) }
            let body = ProbeText.text(answer.body)
            switch answer.status {
            case 200..<300: return .success(message: body)
            case 300..<400: return .warning(message: "Probe terminated redirects, Response body: \(body)")
            default: return .failure(message: "HTTP probe failed with statuscode: \(answer.status)")
            }
        } catch {
            return .failure(message: error.message)
        }
    }
}
