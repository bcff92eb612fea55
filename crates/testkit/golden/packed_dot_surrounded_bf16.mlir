module @packed_dot_surrounded_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x38xbf16>, %arg1: tensor<38xbf16>, %arg2: tensor<5x70xbf16>, %arg3: tensor<2x19x64x2xbf16>) -> (tensor<5x70xbf16>) {
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
    %16 = stablehlo.transpose %arg3, dims = [0, 2, 1, 3] : (tensor<2x19x64x2xbf16>) -> tensor<2x64x19x2xbf16>
    %17 = stablehlo.reshape %16 : (tensor<2x64x19x2xbf16>) -> tensor<2x64x38xbf16>
    %18 = stablehlo.reshape %17 : (tensor<2x64x38xbf16>) -> tensor<128x38xbf16>
    %19 = stablehlo.slice %18 [0:70, 0:38] : (tensor<128x38xbf16>) -> tensor<70x38xbf16>
    %20 = stablehlo.dot_general %15, %19, contracting_dims = [1] x [1] : (tensor<5x38xbf16>, tensor<70x38xbf16>) -> tensor<5x70xf32>
    %21 = stablehlo.convert %20 : (tensor<5x70xf32>) -> tensor<5x70xbf16>
    %22 = stablehlo.add %arg2, %21 : tensor<5x70xbf16>
    return %22 : tensor<5x70xbf16>
  }
}
