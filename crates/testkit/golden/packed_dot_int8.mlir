module @packed_dot_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x37xbf16>, %arg1: tensor<2x19x64x2xi8>, %arg2: tensor<2x2x64xbf16>) -> (tensor<5x70xbf16>) {
    %0 = stablehlo.convert %arg1 : (tensor<2x19x64x2xi8>) -> tensor<2x19x64x2xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 1, 3] : (tensor<2x19x64x2xf32>) -> tensor<2x64x19x2xf32>
    %2 = stablehlo.reshape %1 : (tensor<2x64x19x2xf32>) -> tensor<2x64x38xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.pad %2, %3, low = [0, 0, 0], high = [0, 0, 26], interior = [0, 0, 0] : (tensor<2x64x38xf32>, tensor<f32>) -> tensor<2x64x64xf32>
    %5 = stablehlo.reshape %4 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %6 = stablehlo.convert %arg2 : (tensor<2x2x64xbf16>) -> tensor<2x2x64xf32>
    %7 = stablehlo.transpose %6, dims = [0, 2, 1] : (tensor<2x2x64xf32>) -> tensor<2x64x2xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2] : (tensor<2x64x2xf32>) -> tensor<2x64x2x32xf32>
    %9 = stablehlo.multiply %5, %8 : tensor<2x64x2x32xf32>
    %10 = stablehlo.reshape %9 : (tensor<2x64x2x32xf32>) -> tensor<2x64x64xf32>
    %11 = stablehlo.slice %10 [0:2, 0:64, 0:37] : (tensor<2x64x64xf32>) -> tensor<2x64x37xf32>
    %12 = stablehlo.reshape %11 : (tensor<2x64x37xf32>) -> tensor<128x37xf32>
    %13 = stablehlo.slice %12 [0:70, 0:37] : (tensor<128x37xf32>) -> tensor<70x37xf32>
    %14 = stablehlo.convert %arg0 : (tensor<5x37xbf16>) -> tensor<5x37xf32>
    %15 = stablehlo.dot_general %14, %13, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x37xf32>, tensor<70x37xf32>) -> tensor<5x70xf32>
    %16 = stablehlo.convert %15 : (tensor<5x70xf32>) -> tensor<5x70xbf16>
    return %16 : tensor<5x70xbf16>
  }
}
