/// A certificate made for tests, which no probe has reason to trust; the key protects nothing.
enum TestCertificates {
    /// For 127.0.0.1 and `api.test.invalid`, signed by an authority nobody knows.
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBoTCCAUegAwIBAgIUR2wAVhx9gVa8EzpO8m+9OfPvKTgwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjExMTMwMjdaGA8yMTI2MTAyODEx
        MzAyN1owETEPMA0GA1UEAwwGc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
        QgAEx5xdBTJds8sW8H4UYLgYULY4sLAHYrJOWxSU14Zxi8Xy1NZQKN/pKgpRnUlQ
        uUv6BIFrKXbmC9AES68zktee76N6MHgwIQYDVR0RBBowGIcEfwAAAYIQYXBpLnRl
        c3QuaW52YWxpZDATBgNVHSUEDDAKBggrBgEFBQcDATAdBgNVHQ4EFgQUfnLEFIoZ
        8QOdYokX2fq23rGJIZEwHwYDVR0jBBgwFoAUnfiYc2YhT6MdhIswrYSTvLpBpDgw
        CgYIKoZIzj0EAwIDSAAwRQIgNT9bRA9p/iGc2fz3IuiUJTsJQeBU+It6gGG64LH+
        RDMCIQCzEtu2z1iEkWHJMhwu7qk0GHApMZduHlm5EGSAJUv6Ig==
        -----END CERTIFICATE-----
        """
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLNyWPIN7uOMdvwzx
        eVOwCL0Qluiz3m85ZPdVBFk3LOKhRANCAATHnF0FMl2zyxbwfhRguBhQtjiwsAdi
        sk5bFJTXhnGLxfLU1lAo3+kqClGdSVC5S/oEgWspduYL0ARLrzOS157v
        -----END PRIVATE KEY-----
        """
}
