// A vCenter that govmomi simulates, for the provider's tests: one world per process, on loopback.
//
// Prints one line of JSON once it listens. Each line it reads is answered with the number of open
// sessions; the line "expire" ends all of them first. The end of its input ends the process.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/url"
	"os"
	"time"

	vim "github.com/vmware/govmomi/object"
	_ "github.com/vmware/govmomi/pbm/simulator" // Registers itself.
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

const username = "administrator@vsphere.local"

func main() {
	machines := flag.Int("machines", 0, "how many machines stand beside the template")
	flag.Parse()
	log.SetOutput(io.Discard) // It tells of every file that it makes.

	model := simulator.VPX()
	model.ServiceContent.About.ApiVersion = "7.0.3.0" // It says 6.5 unless told otherwise.
	model.Host, model.ClusterHost, model.Machine = 0, 2, *machines+1
	model.Autostart = false
	check(model.Create())
	defer model.Remove() // Its datastores are temporary folders.
	rename()

	password := fmt.Sprintf("secret-%d", os.Getpid())
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(username, password)}
	certificate := selfSigned()
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	model.Service.RegisterEndpoints = true // Storage policies.
	server := model.Service.NewServer()
	defer server.Close()

	check(json.NewEncoder(os.Stdout).Encode(map[string]string{
		"host":       server.URL.Host,
		"username":   username,
		"password":   password,
		"thumbprint": fmt.Sprintf("%X", sha256.Sum256(certificate.Certificate[0])),
	}))
	reader := simulator.Session{Registry: simulator.NewRegistry()} // Is none of those it lists.
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		manager := reader.Get(simulator.Map.SessionManager().Self).(*simulator.SessionManager)
		if input.Text() == "expire" {
			for _, session := range manager.SessionList {
				end := &types.TerminateSession{SessionId: []string{session.Key}}
				simulator.Map.SessionManager().TerminateSession(&simulator.Context{Session: &reader}, end)
			}
			manager.SessionList = nil
		}
		fmt.Println(len(manager.SessionList))
	}
}

// Gives the world the names that the lab's has, and makes the first machine its template: one
// without a network card, since this simulator crashes where a card is edited whose label and
// summary are not sent along. vCenter works those out itself.
func rename() {
	names := map[string]string{"DC0": "DC1", "DC0_C0": "Cluster1", "LocalDS_0": "vsanDatastore"}
	for _, object := range simulator.Map.All("") {
		entity := object.Entity()
		if name, known := names[entity.Name]; known {
			entity.Name = name
		}
		switch object := object.(type) {
		case *simulator.DistributedVirtualPortgroup:
			object.Name = "Other"
		case *simulator.VirtualMachine:
			var number int
			fmt.Sscanf(entity.Name, "DC0_C0_RP0_VM%d", &number)
			entity.Name = fmt.Sprintf("agent-%d", number-1)
			if number == 0 {
				entity.Name = "ubuntu-22.04"
				isNoCard := func(device types.BaseVirtualDevice) bool {
					_, isCard := device.(types.BaseVirtualEthernetCard)
					return !isCard
				}
				hardware := &object.Config.Hardware
				hardware.Device = vim.VirtualDeviceList(hardware.Device).Select(isNoCard)
				object.MarkAsTemplate(&types.MarkAsTemplate{This: object.Self})
			}
		}
	}
}

// The library's own certificate is RSA with 1024 bits, which TLS clients of today refuse.
func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func check(err error) {
	if err != nil {
		log.SetOutput(os.Stderr)
		log.Fatal(err)
	}
}
