"""From trees and bodies to messages: names become columns, text becomes values."""
