// An authority with ACME for the sandbox: Let's Encrypt's own test server Pebble, with its validation on, so certificates are issued only
// for names that really lead to the host that asks. Two files next to the configuration change its behaviour while it runs:
// `lifetime` (seconds of validity of new certificates) and `limited` (while it exists, new orders are refused as too many).
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

type config struct {
	// Address and port of the directory, and of the interface that gives out the root certificate.
	Listen, Management string
	// Certificate and key of both.
	Certificate, Key string
}

const (
	httpPort       = 80
	tlsPort        = 443
	profile        = "default"
	newOrder       = "/order-plz"
	limitedProblem = `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates (50) already issued for \"test\" in the last 168h0m0s, retry after 2027-01-01 00:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/","status":429}`
)

func main() {
	folder := os.Args[1]
	var c config
	text, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		log.Fatal(err)
	}
	logger := log.New(os.Stdout, "Pebble ", 0)
	store := db.NewMemoryStore()
	authority := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{profile: {Description: "the only one"}})
	validation := va.New(logger, httpPort, tlsPort, true, "", store)
	front := wfe.New(logger, store, validation, authority, []string{"ca.test"}, true, false, 1, 1)
	go func() {
		log.Fatal(http.ListenAndServeTLS(c.Management, c.Certificate, c.Key, front.ManagementHandler()))
	}()
	log.Fatal(http.ListenAndServeTLS(c.Listen, c.Certificate, c.Key, switched(folder, authority, front.Handler())))
}

// switched reads the two files before each request.
func switched(folder string, authority *ca.CAImpl, next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if text, err := os.ReadFile(filepath.Join(folder, "lifetime")); err == nil {
			if seconds, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
				profiles(authority)[profile].ValidityPeriod = seconds
			}
		}
		if _, err := os.Stat(filepath.Join(folder, "limited")); err == nil && request.URL.Path == newOrder {
			answer.Header().Set("Content-Type", "application/problem+json")
			answer.Header().Set("Retry-After", "3600")
			answer.WriteHeader(http.StatusTooManyRequests)
			_, _ = answer.Write([]byte(limitedProblem))
			return
		}
		next.ServeHTTP(answer, request)
	})
}

// profiles are private: Pebble reads them once, from its configuration.
func profiles(authority *ca.CAImpl) map[string]*ca.Profile {
	field := reflect.ValueOf(authority).Elem().FieldByName("profiles")
	return *(*map[string]*ca.Profile)(unsafe.Pointer(field.UnsafeAddr()))
}
