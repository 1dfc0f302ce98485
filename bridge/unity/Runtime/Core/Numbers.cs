using System;

namespace Motiongen
{
    /// <summary>A position or direction.</summary>
    public struct Vec3
    {
        public double X, Y, Z;

        public Vec3(double x, double y, double z) { X = x; Y = y; Z = z; }

        public double Length { get { return Math.Sqrt(Dot(this, this)); } }

        public static Vec3 operator +(Vec3 a, Vec3 b) { return new Vec3(a.X + b.X, a.Y + b.Y, a.Z + b.Z); }
        public static Vec3 operator -(Vec3 a, Vec3 b) { return new Vec3(a.X - b.X, a.Y - b.Y, a.Z - b.Z); }
        public static Vec3 operator *(Vec3 a, double k) { return new Vec3(a.X * k, a.Y * k, a.Z * k); }

        public static double Dot(Vec3 a, Vec3 b) { return a.X * b.X + a.Y * b.Y + a.Z * b.Z; }

        public static Vec3 Cross(Vec3 a, Vec3 b)
        {
            return new Vec3(a.Y * b.Z - a.Z * b.Y, a.Z * b.X - a.X * b.Z, a.X * b.Y - a.Y * b.X);
        }
    }

    /// <summary>A rotation, x, y, z, w.</summary>
    public struct Quat
    {
        public double X, Y, Z, W;

        public Quat(double x, double y, double z, double w) { X = x; Y = y; Z = z; W = w; }

        public static readonly Quat Identity = new Quat(0, 0, 0, 1);

        /// <summary>The rotation b followed by a.</summary>
        public static Quat operator *(Quat a, Quat b)
        {
            return new Quat(
                a.W * b.X + a.X * b.W + a.Y * b.Z - a.Z * b.Y,
                a.W * b.Y - a.X * b.Z + a.Y * b.W + a.Z * b.X,
                a.W * b.Z + a.X * b.Y - a.Y * b.X + a.Z * b.W,
                a.W * b.W - a.X * b.X - a.Y * b.Y - a.Z * b.Z);
        }

        /// <summary>A vector, turned.</summary>
        public static Vec3 operator *(Quat q, Vec3 v)
        {
            var axis = new Vec3(q.X, q.Y, q.Z);
            return v + Vec3.Cross(axis, Vec3.Cross(axis, v) + v * q.W) * 2;
        }

        /// <summary>The same rotation, of unit length; identity for none.</summary>
        public Quat Normalized()
        {
            double size = Math.Sqrt(X * X + Y * Y + Z * Z + W * W);
            return size > 0 ? new Quat(X / size, Y / size, Z / size, W / size) : Identity;
        }

        /// <summary>The shortest rotation that takes the direction of u to that of v.</summary>
        public static Quat Between(Vec3 u, Vec3 v)
        {
            u = u * (1 / Math.Max(u.Length, 1e-12));
            v = v * (1 / Math.Max(v.Length, 1e-12));
            double w = 1 + Vec3.Dot(u, v);
            var axis = Vec3.Cross(u, v);
            if (w < 1e-8) // a half turn, about any axis across
            {
                w = 0;
                axis = Vec3.Cross(u, Math.Abs(u.X) < 0.9 ? new Vec3(1, 0, 0) : new Vec3(0, 1, 0));
            }
            return new Quat(axis.X, axis.Y, axis.Z, w).Normalized();
        }

        /// <summary>The rotation between two, the shorter way.</summary>
        public static Quat Lerp(Quat a, Quat b, double share)
        {
            double sign = a.X * b.X + a.Y * b.Y + a.Z * b.Z + a.W * b.W < 0 ? -share : share;
            double rest = 1 - share;
            return new Quat(rest * a.X + sign * b.X, rest * a.Y + sign * b.Y, rest * a.Z + sign * b.Z,
                rest * a.W + sign * b.W).Normalized();
        }
    }

    /// <summary>From the stream's right-handed world to Unity's: the mirror x -> -x.</summary>
    public static class UnityAxes
    {
        public static Vec3 Position(Vec3 p) { return new Vec3(-p.X, p.Y, p.Z); }

        public static Quat Rotation(Quat q) { return new Quat(q.X, -q.Y, -q.Z, q.W); }
    }
}
