// SPDX-License-Identifier: MIT
// OpenSSL as this program uses it: its own library context, owners for its objects, its errors in
// words; runs in the signer, the spawner and its children.
#pragma once

#include "base/result.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace tls {

// OpenSSL's default provider and no configuration file, so that vsftpd.conf alone rules. Made at
// the first call, which belongs before a jail closes.
[[nodiscard]] OSSL_LIB_CTX* library();

// Makes the library's tables, random generators and algorithms now, so that no child does it again.
void prepare();

// In every child that is forked, before it draws its first number: OpenSSL notices a fork by the
// pid, but siblings in pid namespaces have the same one and would draw the same numbers.
[[nodiscard]] base::Result<void> reseed_after_fork();

// The oldest error that OpenSSL noted, in words, and none of the others; none are left.
[[nodiscard]] std::string openssl_reason();
[[nodiscard]] base::Error openssl_error(const std::string& what);

template <auto function>
struct Releaser {
    template <typename T>
    void operator()(T* object) const {
        function(object);
    }
};

template <typename T, auto function>
using Owned = std::unique_ptr<T, Releaser<function>>;

struct Freer {
    void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using OpenSslBytes = std::unique_ptr<unsigned char, Freer>;  // OPENSSL_free() is a macro

using Bio = Owned<BIO, BIO_free_all>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Digest = Owned<EVP_MD, EVP_MD_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using X509Certificate = Owned<X509, X509_free>;
using SslContext = Owned<SSL_CTX, SSL_CTX_free>;
using Ssl = Owned<SSL, SSL_free>;
using SslSession = Owned<SSL_SESSION, SSL_SESSION_free>;

// To read PEM from; the text must outlive it.
[[nodiscard]] Bio reading(std::string_view text);

// A kind of BIO of our own, out of what BIO_meth_set_read_ex(3) and its like take; nullptr for what
// it cannot do. For as long as the process lives; throws without memory.
[[nodiscard]] const BIO_METHOD* new_bio_method(const char* name,
                                               int (*read)(BIO*, char*, std::size_t, std::size_t*),
                                               int (*write)(BIO*, const char*, std::size_t,
                                                            std::size_t*),
                                               long (*control)(BIO*, int, long, void*));

}  // namespace tls
