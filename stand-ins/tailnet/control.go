package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// The message of Tailscale's service for a key that has expired, is used up or is unknown.
const unknownKey = "invalid key: API key does not exist"

// control is the module's test control server with additions: several auth keys, a policy for each, login links for
// nodes without a key, and unique names in the tailnet.
type control struct {
	config *Config
	server *testcontrol.Server
	// next is the test control server's own handler of a node's requests.
	next http.Handler

	mu sync.Mutex
	// joined are the nodes that joined with a valid key.
	joined map[key.NodePublic]bool
}

func newControl(config *Config) *control {
	server := &testcontrol.Server{
		Logf:            logger.Discard,
		ExplicitBaseURL: "https://" + config.ControlHosts[0],
		MagicDNSDomain:  config.Domain,
		DNSConfig:       &tailcfg.DNSConfig{Proxied: true},
		// No node gets more than the policy allows.
		DefaultNodeCapabilities: &tailcfg.NodeCapMap{},
		DERPMap:                 derpMap(config),
		AllOnline:               true,
		AllNodesSameUser:        true,
	}
	c := &control{config: config, server: server, joined: map[key.NodePublic]bool{}}
	mux := muxOf(server)
	c.next, _ = mux.Handler(httptest.NewRequest("POST", "/machine/register", nil))
	mux.HandleFunc("POST /machine/register", c.register)
	mux.HandleFunc("POST /machine/feature/query", c.queryFeature)
	mux.HandleFunc("POST /machine/set-dns", notFound)
	go func() {
		for range time.Tick(200 * time.Millisecond) {
			c.nameNodes(key.NodePublic{})
		}
	}()
	return c
}

// muxOf is the mux that the test control server asks about each request of a node. It has no other hook.
func muxOf(server *testcontrol.Server) *http.ServeMux {
	// It is created for the first request.
	server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/generate_204", nil))
	field := reflect.ValueOf(server).Elem().FieldByName("mux")
	return *(**http.ServeMux)(unsafe.Pointer(field.UnsafeAddr()))
}

func derpMap(config *Config) *tailcfg.DERPMap {
	node := &tailcfg.DERPNode{
		Name:     "1a",
		RegionID: 1,
		HostName: config.ControlHosts[0],
		IPv4:     config.Address,
		IPv6:     "none",
		STUNPort: 3478,
	}
	region := &tailcfg.DERPRegion{RegionID: 1, RegionCode: "sandbox", RegionName: "Sandbox", Nodes: []*tailcfg.DERPNode{node}}
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: region}}
}

// ServeHTTP answers requests from outside: of nodes, and of users who open a login link.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/auth/"):
		if !c.server.CompleteAuth(r.URL.Path) {
			http.Error(w, "this link is no longer valid", http.StatusNotFound)
			return
		}
		fmt.Fprintln(w, "Login successful")
	case r.URL.Path == "/key" || r.URL.Path == "/ts2021" || r.URL.Path == "/generate_204" || strings.HasPrefix(r.URL.Path, "/c2n/"):
		c.server.ServeHTTP(w, r)
	default:
		// The test control server ends the whole process on anything else.
		notFound(w, r)
	}
}

// register decides whether a node may join, before the test control server handles the request.
func (c *control) register(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request tailcfg.RegisterRequest
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if request.Followup != "" {
		// Waits until a user has opened the link.
		c.next.ServeHTTP(w, r)
		return
	}
	policy := c.config.Login
	withKey := request.Auth != nil && request.Auth.AuthKey != ""
	if withKey {
		known := false
		if policy, known = c.config.Keys[request.Auth.AuthKey]; !known {
			policy.Refusal = unknownKey
		}
		if policy.Refusal != "" {
			json.NewEncoder(w).Encode(tailcfg.RegisterResponse{Error: policy.Refusal})
			return
		}
	}
	c.admit(w, r, &request, policy, withKey)
}

func (c *control) admit(w http.ResponseWriter, r *http.Request, request *tailcfg.RegisterRequest, policy Policy, withKey bool) {
	c.mu.Lock()
	if withKey {
		c.joined[request.NodeKey] = true
	}
	if withKey || c.server.Node(request.NodeKey) == nil {
		c.server.SetNodeCapMap(request.NodeKey, capabilities(policy))
	}
	c.server.RequireAuth = !c.joined[request.NodeKey]
	c.next.ServeHTTP(w, r)
	c.mu.Unlock()
	if withKey {
		c.nameNodes(request.NodeKey)
	}
}

func capabilities(policy Policy) tailcfg.NodeCapMap {
	found := tailcfg.NodeCapMap{}
	for _, capability := range policy.Capabilities {
		found[capability] = nil
		if capability == tailcfg.NodeAttrFunnel {
			found[tailcfg.CapabilityFunnelPorts+"?ports=443,8443,10000"] = nil
		}
	}
	return found
}

// queryFeature answers `tailscale funnel` on a node that may not use Funnel, with the service's own message.
func (c *control) queryFeature(w http.ResponseWriter, r *http.Request) {
	json.NewEncoder(w).Encode(tailcfg.QueryFeatureResponse{
		Text:       "Funnel is not enabled on your tailnet.\nTo enable, visit:",
		URL:        "https://" + c.config.ControlHosts[0] + "/f/funnel",
		ShouldWait: true,
	})
}

// nameNodes gives every node its requested name; the second node of a name gets a number. A node that only got a login link
// has no name yet: it has not requested the map of the tailnet. A node with a key gets its name at once.
func (c *control) nameNodes(admitted key.NodePublic) {
	taken := map[string]bool{}
	for _, node := range c.server.AllNodes() {
		if node.DiscoKey.IsZero() && node.Key != admitted {
			continue
		}
		wanted := strings.ToLower(node.Hostinfo.Hostname())
		name := wanted
		for number := 1; taken[name]; number++ {
			name = fmt.Sprintf("%s-%d", wanted, number)
		}
		taken[name] = true
		if full := name + "." + c.config.Domain + "."; node.Name != full {
			node.Name = full
			c.server.UpdateNode(node)
		}
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	http.NotFound(w, r)
}
