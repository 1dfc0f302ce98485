using System;

namespace Motiongen
{
    /// <summary>A pose of one character (bridge/PROTOCOL.md, "Frames"), in the stream's axes.</summary>
    public sealed class Frame
    {
        const int Header = 24;
        const int MaxJoints = 1024;

        public int Character;
        public uint Seq;
        /// <summary>Seconds of the server's clock at which it is to be shown.</summary>
        public double Time;
        public int Contacts;
        public uint Obeys;
        public bool IsGap;
        public Vec3 Root;
        /// <summary>Local rotations of the joints, of unit length.</summary>
        public Quat[] Rotations = new Quat[0];

        /// <summary>Read a binary message into this frame; return whether it is one.</summary>
        public bool Decode(byte[] data, int length)
        {
            if (length < Header + 12 || data[0] != 1 || data[1] != 1 && data[1] != 2) return false;
            bool isFloat = data[1] == 1;
            int size = isFloat ? 16 : 8, joints = data[6] | data[7] << 8;
            if (joints < 1 || joints > MaxJoints || length != Header + 12 + joints * size) return false;
            IsGap = (data[2] & 1) != 0;
            Contacts = data[3];
            Character = data[4] | data[5] << 8;
            Seq = BitConverter.ToUInt32(data, 8);
            Obeys = BitConverter.ToUInt32(data, 12);
            Time = BitConverter.ToUInt64(data, 16) / 1e6;
            Root = new Vec3(Single(data, 24), Single(data, 28), Single(data, 32));
            if (Rotations.Length != joints) Rotations = new Quat[joints];
            for (int joint = 0, at = Header + 12; joint < joints; joint++, at += size)
                Rotations[joint] = (isFloat
                    ? new Quat(Single(data, at), Single(data, at + 4), Single(data, at + 8), Single(data, at + 12))
                    : new Quat(Short(data, at), Short(data, at + 2), Short(data, at + 4), Short(data, at + 6))
                ).Normalized();
            return true;
        }

        static double Single(byte[] data, int at) { return BitConverter.ToSingle(data, at); }

        static double Short(byte[] data, int at) { return BitConverter.ToInt16(data, at) / 32767.0; }
    }
}
