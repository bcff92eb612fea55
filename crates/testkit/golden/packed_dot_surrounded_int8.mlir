module @packed_dot_surrounded_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x38xbf16>, %arg1: tensor<38xbf16>, %arg2: tensor<5x70xbf16>, %arg3: tensor<2x19x64x2xi8>, %arg4: tensor<2x2x64xbf16>) -> (tensor<5x70xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<5x38xbf16>) -> tensor<5x38xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<5x38xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1] : (tensor<5x38xf32>, tensor<f32>) -> tensor<5xf32>
    %4 = stablehlo.constant dense<0.02631579> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %6 = stablehlo.multiply %3, %5 : tensor<5xf32>
    %7 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %9 = stablehlo.add %6, %8 : tensor<5xf32>
    %10 = stablehlo.rsqrt %9 : tensor<5xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<5xf32>) -> tensor<5x38xf32>
    %12 = stablehlo.multiply %0, %11 : tensor<5x38xf32>
    %13 = stablehlo.convert %12 : (tensor<5x38xf32>) -> tensor<5x38xbf16>
    %14 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<38xbf16>) -> tensor<5x38xbf16>
    %15 = stablehlo.multiply %13, %14 : tensor<5x38xbf16>
    %16 = stablehlo.convert %arg3 : (tensor<2x19x64x2xi8>) -> tensor<2x19x64x2xf32>
    %17 = stablehlo.transpose %16, dims = [0, 2, 1, 3] : (tensor<2x19x64x2xf32>) -> tensor<2x64x19x2xf32>
    %18 = stablehlo.reshape %17 : (tensor<2x64x19x2xf32>) -> tensor<2x64x38xf32>
    %19 = stablehlo.constant dense<0.0> : tensor<f32>
    %20 = stablehlo.pad %18, %19, low = [0, 0, 0], high = [0, 0, 26], interior = [0, 0, 0] : (tensor<2x64x38xf32>, tensor<f32>) -> tensor<2x64x64xf32>
    %21 = stablehlo.reshape %20 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %22 = stablehlo.convert %arg4 : (tensor<2x2x64xbf16>) -> tensor<2x2x64xf32>
    %23 = stablehlo.transpose %22, dims = [0, 2, 1] : (tensor<2x2x64xf32>) -> tensor<2x64x2xf32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [0, 1, 2] : (tensor<2x64x2xf32>) -> tensor<2x64x2x32xf32>
    %25 = stablehlo.multiply %21, %24 : tensor<2x64x2x32xf32>
    %26 = stablehlo.reshape %25 : (tensor<2x64x2x32xf32>) -> tensor<2x64x64xf32>
    %27 = stablehlo.slice %26 [0:2, 0:64, 0:38] : (tensor<2x64x64xf32>) -> tensor<2x64x38xf32>
    %28 = stablehlo.reshape %27 : (tensor<2x64x38xf32>) -> tensor<128x38xf32>
    %29 = stablehlo.slice %28 [0:70, 0:38] : (tensor<128x38xf32>) -> tensor<70x38xf32>
    %30 = stablehlo.convert %15 : (tensor<5x38xbf16>) -> tensor<5x38xf32>
    %31 = stablehlo.dot_general %30, %29, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x38xf32>, tensor<70x38xf32>) -> tensor<5x70xf32>
    %32 = stablehlo.convert %31 : (tensor<5x70xf32>) -> tensor<5x70xbf16>
    %33 = stablehlo.add %arg2, %32 : tensor<5x70xbf16>
    return %33 : tensor<5x70xbf16>
  }
}
