/// Certificates made for tests, valid for a hundred years; the keys protect nothing.
public enum TestCertificates {
    /// Signs `server` and `client`.
    public static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBejCCASGgAwIBAgIUTNSGLOFyYslYU9CMFSLuXv1HVmUwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjExMTMwMjdaGA8yMTI2MTAyODEx
        MzAyN1owEjEQMA4GA1UEAwwHdGVzdC1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABBAQGIr7DVRd5zjKnKQvhCNqw7YUhIvj6s4s7BXw3e3SbVDpgvlueIxYpZOe
        bh4MW9rpyBL3SiqYSqRN5tffO3+jUzBRMB0GA1UdDgQWBBSd+JhzZiFPox2EizCt
        hJO8ukGkODAfBgNVHSMEGDAWgBSd+JhzZiFPox2EizCthJO8ukGkODAPBgNVHRMB
        Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHmNqSvkw7TsWu81DrdybiTM7+db
        md538WRg77p6hGYoAiB6fWJ01oMyj7ZEj7Gc6yam6uUptslDjzHYu2ErxOZSMQ==
        -----END CERTIFICATE-----
        """
    /// Signs nothing.
    public static let otherAuthority = """
        -----BEGIN CERTIFICATE-----
        MIIBfTCCASOgAwIBAgIUHQ3iMePDj6evLGci4IjRKzTKMu0wCgYIKoZIzj0EAwIw
        EzERMA8GA1UEAwwIb3RoZXItY2EwIBcNMjYxMTIxMTEzMDI3WhgPMjEyNjEwMjgx
        MTMwMjdaMBMxETAPBgNVBAMMCG90aGVyLWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAEVOu5O3bGZefF2GWI5UBJny+SbFzozd7RUEHoahtmC+yhViuZvwA3+1d6
        feA96EJ7dBbUtG+kGmVQBRmdKQogrqNTMFEwHQYDVR0OBBYEFFvCnlOmTO/hQ4jA
        9XR8P/BNx/SPMB8GA1UdIwQYMBaAFFvCnlOmTO/hQ4jA9XR8P/BNx/SPMA8GA1Ud
        EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMPaa+adhYmr7y4RjBg27muT
        qJRNPbxCgXtsblalTUU+AiAU4wxpIYN5uRSxqA4htj+X3XOSm5BwlXBJuOSNkzEt
        TA==
        -----END CERTIFICATE-----
        """
    /// For 127.0.0.1 and `api.test.invalid`.
    public static let server = """
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
    public static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLNyWPIN7uOMdvwzx
        eVOwCL0Qluiz3m85ZPdVBFk3LOKhRANCAATHnF0FMl2zyxbwfhRguBhQtjiwsAdi
        sk5bFJTXhnGLxfLU1lAo3+kqClGdSVC5S/oEgWspduYL0ARLrzOS157v
        -----END PRIVATE KEY-----
        """
    /// `CN=system:node:n1`.
    public static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBnDCCAUOgAwIBAgIUR2wAVhx9gVa8EzpO8m+9OfPvKTkwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjExMTMwMjdaGA8yMTI2MTAyODEx
        MzAyN1owMDEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMRcwFQYDVQQDDA5zeXN0ZW06
        bm9kZTpuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHnt+tRvy4arAnvAjklm
        FCOPNBEYduZ79g7AnCm+YRJIOOIS1Y8ZB95aLxQGdxvFLoKOuk4WdqlNqFt46xOj
        ZPGjVzBVMBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQWBBQmjJzzWFrtRxmW
        CLsKzQBVNrKcNTAfBgNVHSMEGDAWgBSd+JhzZiFPox2EizCthJO8ukGkODAKBggq
        hkjOPQQDAgNHADBEAiAGlr7xu7+k6DKqpi21YyjyKSZxiihul6Y77bOtSQtNmwIg
        A8PtwkegrI7Azr311OhKliO/3bo5T9S4q3GZGg6p1Vc=
        -----END CERTIFICATE-----
        """
    public static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZzdkC8IcjKH7AVga
        Qx1NuOFiAdYah4elPu+ZuqnntvahRANCAAR57frUb8uGqwJ7wI5JZhQjjzQRGHbm
        e/YOwJwpvmESSDjiEtWPGQfeWi8UBncbxS6CjrpOFnapTahbeOsTo2Tx
        -----END PRIVATE KEY-----
        """
    /// For `api.test.invalid` only.
    public static let named = """
        -----BEGIN CERTIFICATE-----
        MIIBmTCCAUCgAwIBAgIUR2wAVhx9gVa8EzpO8m+9OfPvKTowCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjExMTQ2NTRaGA8yMTI2MTAyODEx
        NDY1NFowEDEOMAwGA1UEAwwFbmFtZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AAQVrKy3ESrMd782eKrgRlpkHYkmU7cYcNjor04P+8jPLJPAAt3W2mpqovQ8mSQv
        cPBIaBIOFYgKAaQTNyD/SnnCo3QwcjAbBgNVHREEFDASghBhcGkudGVzdC5pbnZh
        bGlkMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBSKOmYXJK88l7mbwxmY
        np2FT9/+6jAfBgNVHSMEGDAWgBSd+JhzZiFPox2EizCthJO8ukGkODAKBggqhkjO
        PQQDAgNHADBEAiA1I8wAqx4etWHfZlN5hT0tqKJ2i6K2T2bvGgvc1F8m8gIgRmE0
        V1x7sp7TZpqSScwn+w2c6j6c/2jNx6tyXC53/M4=
        -----END CERTIFICATE-----
        """
    public static let namedKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTLLa3AGiSfKwWg3K
        D6Va8+tuqjObxXgn+5jrLiqE7HqhRANCAAQVrKy3ESrMd782eKrgRlpkHYkmU7cY
        cNjor04P+8jPLJPAAt3W2mpqovQ8mSQvcPBIaBIOFYgKAaQTNyD/SnnC
        -----END PRIVATE KEY-----
        """
}
